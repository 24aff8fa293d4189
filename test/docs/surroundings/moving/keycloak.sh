# What the query above it prints.
cat > users.ndjson <<'ROWS'
{"id":"f3a1","email":"ana@example.com","email_verified":true,"username":"ana","name":"Ana Lima","disabled":false,"created_at":1700000000000,"roles":["editor"],"password_hash":"$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHRzYWx0c2FsdA$5VXeqFhuWBs0lKGn7RD1UmgEZVYTlMbmvLMvyUP0U5o","linked_accounts":[]}
ROWS
