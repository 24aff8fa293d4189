# What the query above it prints.
cat > users.csv <<'ROWS'
id,email,name,password_hash,created_at
1,ana@example.com,Ana,$2a$04$abcdefghijklmnopqrstuuTBYBsZRo2UQfAeeaBMmVgI3Aua3l3Wy,2026-01-02 03:04:05+00
ROWS
