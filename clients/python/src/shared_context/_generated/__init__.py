"""What `npm run docs` of the server's repository writes."""
