account ada
