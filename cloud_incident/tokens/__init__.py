"""Bearer tokens: the file that has their hashes, who a request comes from, and how pages sign in."""
