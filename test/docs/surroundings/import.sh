# What other products' own programs would have written.
cp "$FIXTURES"/import/*.{ndjson,json,csv} .
mv generic.ndjson laravel.ndjson
BASE64_SIGNER_KEY=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==
