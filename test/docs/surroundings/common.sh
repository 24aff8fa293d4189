# What the commands of pages may take for granted, where a page has surroundings of its own.
api=localhost:3000/api/v1

# An account and its browser: `account ada` makes ada@example.com, keeps her cookies in the file "jar" and her CSRF token in $TOKEN.
account() {
  TOKEN=$(curl --fail -c jar "$api/auth/register" -H 'Content-Type: application/json' \
    -d "{\"email\":\"$1@example.com\",\"username\":\"$1\",\"password\":\"correct horse battery\",\"name\":\"$1\"}" |
    sed -n 's/.*"csrf_token":"\([^"]*\)".*/\1/p')
  [ -n "$TOKEN" ]
}

# Signs in again: `sign_in ada`.
sign_in() {
  TOKEN=$(curl --fail -c jar "$api/auth/login" -H 'Content-Type: application/json' \
    -d "{\"email\":\"$1@example.com\",\"password\":\"correct horse battery\"}" |
    sed -n 's/.*"csrf_token":"\([^"]*\)".*/\1/p')
  [ -n "$TOKEN" ]
}
