package authority

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// Files is a certificate and its key in two files that somebody else renews. It is safe for concurrent use.
type Files struct {
	cert, key string

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the file that current is from
}

// Load reads a certificate and its key.
func Load(cert, key string) (*Files, error) {
	f := &Files{cert: cert, key: key}
	_, err := f.Get(nil)
	return f, err
}

// Get is for tls.Config.GetCertificate. A pair that cannot be read, as when only one of the files is replaced yet, leaves
// the one of before in place.
func (f *Files) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.cert)
	if err == nil && f.current != nil && info.ModTime().Equal(f.changed) {
		return f.current, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.current, f.changed = &pair, info.ModTime()
		}
	}
	if f.current == nil {
		return nil, fmt.Errorf("agents' certificate: %w", err)
	}
	return f.current, nil
}
