package main

import (
	"strings"
	"unicode"
)

// packageName keeps what a Go package name may hold: "acm-pca" is acmpca.
func packageName(file string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, file)
}

// exported upper-cases the first letter.
func exported(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// camel turns an enum's value into a part of a Go name: split at what is neither letter nor digit, parts written all in capitals are
// title-cased.
func camel(value string) string {
	parts := strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var b strings.Builder
	for _, p := range parts {
		if strings.ToUpper(p) == p {
			p = strings.ToLower(p)
		}
		b.WriteString(exported(p))
	}
	return b.String()
}

// scope hands out the names of one package.
type scope map[string]bool

// unique returns name, with as many underscores as make it new.
func (s scope) unique(name string) string {
	for s[name] {
		name += "_"
	}
	s[name] = true
	return name
}
