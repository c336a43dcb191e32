package acm

import (
	"fmt"
	"regexp"
	"strings"
)

// Home is the account and region a record belongs to. It is the first part of every key.
type Home struct {
	Account string
	Region  string
}

// Pair is a tag of a certificate. One without a value is another than one with an empty value only when tags are taken away.
type Pair struct{ Key, Value string }

// ARN names the certificate of an id.
func (h Home) ARN(id string) string {
	return fmt.Sprintf("arn:aws:acm:%s:%s:certificate/%s", h.Region, h.Account, id)
}

// ARN names it.
func (c *Certificate) ARN() string { return c.Home.ARN(c.ID) }

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// ParseARN takes the ARN of a certificate apart.
func ParseARN(arn string) (h Home, id string, ok bool) {
	p := strings.Split(arn, ":")
	if len(p) != 6 || p[0] != "arn" || p[1] != "aws" || p[2] != "acm" {
		return h, "", false
	}
	id, ok = strings.CutPrefix(p[5], "certificate/")
	return Home{Account: p[4], Region: p[3]}, id, ok && uuid.MatchString(id)
}

// NewID writes 32 hex digits as the id of a certificate.
func NewID(hex string) string {
	return strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:32]}, "-")
}
