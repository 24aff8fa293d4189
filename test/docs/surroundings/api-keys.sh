account ada
latchkey role add ada editor --permission invoice:read
# Other rights end a session.
sign_in ada
KEY=$(curl --fail -b jar "$api/api-keys/" -H 'Content-Type: application/json' -H "X-CSRF-Token: $TOKEN" -d '{"name":"first"}' |
  sed -n 's/.*"key":"\([^"]*\)".*/\1/p')
[ -n "$KEY" ]
