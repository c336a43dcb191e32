package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
)

// PageRequest asks for one page of a list that is sorted by key.
//
// A token is the last key of the page before and a hash of the filter, so pages stay right when items come and go between two calls: nothing
// that exists throughout is skipped or repeated. A token of another list, or of other filters, is an *Invalid error.
type PageRequest struct {
	Token      *string // as the client gave it; nil or empty is the first page
	Max        *int32  // as the client gave it; nil is Limit
	Limit      int     // required; the most a page holds
	Filter     string  // required; FilterHash of everything that selects and orders the items
	Descending bool    // the keys come in falling order

	TokenMember string // optional; "nextToken" when empty
	MaxMember   string // optional; "maxResults" when empty
}

// tokenSum is the length of the hash in a token.
const tokenSum = 12

// FilterHash hashes what selects the items of a list. The parts must be JSON-marshalable; name the operation and the scope among them.
func FilterHash(parts ...any) string {
	b, err := json.Marshal(parts)
	if err != nil {
		panic(fmt.Sprintf("wire: filter: %v", err)) // only channels and functions, a programming error
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// After is the key the page starts behind: a store can begin its scan there. It is empty for the first page.
func (r PageRequest) After() (string, error) {
	if r.Token == nil || *r.Token == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*r.Token)
	if err == nil && len(raw) > tokenSum {
		// base64 has several spellings of the same bytes: only the one that was given out is a token.
		if key := string(raw[tokenSum:]); *r.token(key) == *r.Token {
			return key, nil
		}
	}
	return "", &Invalid{Member: name(r.TokenMember, "nextToken"), Rule: "the token is not valid for this request; it must come from an earlier answer to the same request."}
}

func (r PageRequest) sum(key string) []byte {
	sum := sha256.Sum256([]byte(r.Filter + "\x00" + key))
	return sum[:tokenSum]
}

func (r PageRequest) token(key string) *string {
	t := base64.RawURLEncoding.EncodeToString(append(r.sum(key), key...))
	return &t
}

func (r PageRequest) size() (int, error) {
	if r.Max == nil {
		return r.Limit, nil
	}
	if *r.Max < 1 || int(*r.Max) > r.Limit {
		return 0, &Invalid{Member: name(r.MaxMember, "maxResults"), Rule: fmt.Sprintf("must be between 1 and %d.", r.Limit)}
	}
	return int(*r.Max), nil
}

// Page takes one page from items, which are in key order, and the token of the next page: nil when nothing is left.
func Page[T any](r PageRequest, items iter.Seq2[string, T]) (page []T, next *string, err error) {
	after, err := r.After()
	if err != nil {
		return nil, nil, err
	}
	size, err := r.size()
	if err != nil {
		return nil, nil, err
	}
	page, last := []T{}, ""
	for key, item := range items {
		if after != "" && ((!r.Descending && key <= after) || (r.Descending && key >= after)) {
			continue
		}
		if len(page) == size {
			return page, r.token(last), nil
		}
		page, last = append(page, item), key
	}
	return page, nil, nil
}

func name(given, otherwise string) string {
	if given != "" {
		return given
	}
	return otherwise
}
