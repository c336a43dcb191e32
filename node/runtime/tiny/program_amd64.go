package tiny

import _ "embed"

//go:embed tiny-amd64
var program []byte
