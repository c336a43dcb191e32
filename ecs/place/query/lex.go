package query

import (
	"fmt"
	"strings"
)

type kind uint8

const (
	end   kind = iota
	word       // a name, a value or a word operator
	value      // a quoted value
	punct      // ( ) [ ] ,
	op         // == != <= >= < > =~ !~ && || !
)

type token struct {
	kind kind
	text string
	at   int // byte offset, for messages
}

func (t token) is(k kind, text string) bool { return t.kind == k && t.text == text }

func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// operators of more than one byte come first, so that the longest wins.
var operators = []string{"==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "!"}

const breaks = " \t\r\n()[],=!<>&|~'\""

// lex splits an expression; the last token is always of kind end.
func lex(s string) ([]token, error) {
	var out []token
	for i := 0; ; {
		for i < len(s) && strings.IndexByte(" \t\r\n", s[i]) >= 0 {
			i++
		}
		if i == len(s) {
			return append(out, token{kind: end, at: i}), nil
		}
		t, next, err := scan(s, i, len(out) > 0 && out[len(out)-1].is(op, "=~"))
		if err != nil {
			return nil, err
		}
		out, i = append(out, t), next
	}
}

// scan reads the token at i. A pattern, which follows "=~", runs to the next space: it may hold any of the other signs.
func scan(s string, i int, pattern bool) (token, int, error) {
	c := s[i]
	if c == '\'' || c == '"' {
		n := strings.IndexByte(s[i+1:], c)
		if n < 0 {
			return token{}, 0, fmt.Errorf("quote at offset %d is not closed", i)
		}
		return token{value, s[i+1 : i+1+n], i}, i + n + 2, nil
	}
	if pattern {
		n := patternEnd(s[i:])
		return token{value, s[i : i+n], i}, i + n, nil
	}
	if strings.IndexByte("()[],", c) >= 0 {
		return token{punct, s[i : i+1], i}, i + 1, nil
	}
	for _, o := range operators {
		if strings.HasPrefix(s[i:], o) {
			return token{op, o, i}, i + len(o), nil
		}
	}
	n := strings.IndexAny(s[i:], breaks)
	switch {
	case n == 0:
		return token{}, 0, fmt.Errorf("%q at offset %d is not part of an expression", s[i:i+1], i)
	case n < 0:
		n = len(s) - i
	}
	return token{word, s[i : i+n], i}, i + n, nil
}

// patternEnd is the length of a bare pattern: up to a space, or to a ")" that closes a parenthesis opened before it.
func patternEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
			return i
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return max(i, 1)
			}
			depth--
		}
	}
	return len(s)
}
