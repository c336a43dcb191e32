package query

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// MaxLength bounds an expression: AWS's limit.
const MaxLength = 2000

// maxDepth bounds nesting, so that evaluation cannot exhaust the stack.
const maxDepth = 50

// Expr is a parsed expression. It is immutable.
type Expr struct {
	root node
	asks []string // its subjects
}

// Asks says whether the expression depends on a subject.
func (e *Expr) Asks(subject string) bool { return slices.Contains(e.asks, subject) }

// Parse reads an expression.
func Parse(s string) (*Expr, error) {
	if len(s) > MaxLength {
		return nil, fmt.Errorf("expression is longer than %d characters", MaxLength)
	}
	tokens, err := lex(s)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	p := &parser{tokens: tokens}
	root, err := p.or(0)
	if err == nil && p.peek().kind != end {
		err = p.unexpected("and, or, or the end")
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	return &Expr{root: root, asks: p.asks}, nil
}

type parser struct {
	tokens []token
	pos    int
	asks   []string
}

func (p *parser) peek() token { return p.tokens[p.pos] }

// next steps over the token that peek answers. The end is never stepped over.
func (p *parser) next() {
	if p.peek().kind != end {
		p.pos++
	}
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	return fmt.Errorf("%v at offset %d where %s is expected", t, t.at, want)
}

// accept steps over the next token when it is one of the spellings.
func (p *parser) accept(k kind, spellings ...string) bool {
	t := p.peek()
	if t.kind != k || !slices.Contains(spellings, strings.ToLower(t.text)) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) or(depth int) (node, error) {
	left, err := p.and(depth)
	for err == nil && (p.accept(word, "or") || p.accept(op, "||")) {
		var right node
		if right, err = p.and(depth); err == nil {
			left = anyOf{left, right}
		}
	}
	return left, err
}

func (p *parser) and(depth int) (node, error) {
	left, err := p.term(depth)
	for err == nil && (p.accept(word, "and") || p.accept(op, "&&")) {
		var right node
		if right, err = p.term(depth); err == nil {
			left = allOf{left, right}
		}
	}
	return left, err
}

func (p *parser) term(depth int) (node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("parentheses are nested deeper than %d", maxDepth)
	}
	if p.accept(word, "not") || p.accept(op, "!") {
		n, err := p.term(depth + 1)
		return negation{n}, err
	}
	if p.accept(punct, "(") {
		n, err := p.or(depth + 1)
		if err == nil && !p.accept(punct, ")") {
			err = p.unexpected(`")"`)
		}
		return n, err
	}
	return p.comparison()
}

func (p *parser) comparison() (node, error) {
	t := p.peek()
	s, ok := subjectOf(t)
	if !ok {
		return nil, p.unexpected("attribute:NAME or one of " + strings.Join(subjectNames(), ", "))
	}
	p.next()
	p.asks = append(p.asks, t.text)
	at := p.peek()
	o, ok := p.operator()
	if !ok {
		return nil, p.unexpected("an operator")
	}
	if !slices.Contains(s.operators, o) {
		return nil, fmt.Errorf("%v at offset %d is not an operator of %s", at, at.at, t.text)
	}
	c := comparison{subject: t.text, op: o}
	switch o {
	case opExists, opNotExists:
		return c, nil
	case opIn, opNotIn:
		return p.list(c)
	default:
		return p.single(c, s)
	}
}

func (p *parser) single(c comparison, s subject) (node, error) {
	v := p.peek()
	if v.kind != word && v.kind != value {
		return nil, p.unexpected("a value")
	}
	p.next()
	c.values = []string{v.text}
	if s.argument != nil {
		if err := s.argument(&c, v.text); err != nil {
			return nil, fmt.Errorf("%v at offset %d: %w", v, v.at, err)
		}
	}
	if c.op == opMatches || c.op == opNotMatches {
		re, err := regexp.Compile("^(?:" + v.text + ")$")
		if err != nil {
			return nil, fmt.Errorf("pattern %q at offset %d: %w", v.text, v.at, err)
		}
		c.pattern = re
	}
	return c, nil
}

func (p *parser) list(c comparison) (node, error) {
	if !p.accept(punct, "[") {
		return nil, p.unexpected(`"["`)
	}
	for {
		v := p.peek()
		if v.kind != word && v.kind != value {
			return nil, p.unexpected("a value")
		}
		p.next()
		c.values = append(c.values, v.text)
		if p.accept(punct, "]") {
			return c, nil
		}
		if !p.accept(punct, ",") {
			return nil, p.unexpected(`"," or "]"`)
		}
	}
}

// spelling lists each operator's forms: the sign, then the word.
var spelling = []struct {
	op    operator
	kind  kind
	texts []string
}{
	{opEqual, op, []string{"=="}}, {opEqual, word, []string{"equals"}},
	{opNotEqual, op, []string{"!="}}, {opNotEqual, word, []string{"not_equals"}},
	{opGreater, op, []string{">"}}, {opGreater, word, []string{"greater_than"}},
	{opGreaterEqual, op, []string{">="}}, {opGreaterEqual, word, []string{"greater_than_equal"}},
	{opLess, op, []string{"<"}}, {opLess, word, []string{"less_than"}},
	{opLessEqual, op, []string{"<="}}, {opLessEqual, word, []string{"less_than_equal"}},
	{opMatches, op, []string{"=~"}}, {opMatches, word, []string{"matches"}},
	{opNotMatches, op, []string{"!~"}}, {opNotMatches, word, []string{"not_matches"}},
	{opExists, word, []string{"exists"}}, {opNotExists, word, []string{"not_exists"}},
	{opIn, word, []string{"in"}}, {opNotIn, word, []string{"not_in"}},
}

func (p *parser) operator() (operator, bool) {
	for _, s := range spelling {
		if p.accept(s.kind, s.texts...) {
			return s.op, true
		}
	}
	if !p.peek().is(op, "!") {
		return 0, false
	}
	p.next()
	switch {
	case p.accept(word, "in"):
		return opNotIn, true
	case p.accept(word, "exists"):
		return opNotExists, true
	}
	return 0, false
}
