echo "correct horse battery staple" > password.txt
