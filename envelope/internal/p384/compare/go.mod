module github.com/ddbseal/ddbseal/envelope/internal/p384/compare

go 1.26.0

require (
	github.com/cloudflare/circl v1.6.5
	github.com/ddbseal/ddbseal v0.0.0
)

require (
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/ddbseal/ddbseal => ../../../..
