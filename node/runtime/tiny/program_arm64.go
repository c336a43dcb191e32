package tiny

import _ "embed"

//go:embed tiny-arm64
var program []byte
