//go:build !amd64 && !arm64

package tiny

var program []byte
