package memo

import "testing"

func TestMemo(t *testing.T) {
	t.Parallel()
	m := Memo[int]{Most: 2}
	if _, ok := m.Get("a"); ok {
		t.Error("nothing was put")
	}
	m.Drop("a")
	m.Put("a", 1)
	m.Put("b", 2)
	if v, ok := m.Get("a"); !ok || v != 1 {
		t.Errorf("a is %d, %t", v, ok)
	}
	m.Put("c", 3)
	if _, ok := m.Get("a"); ok {
		t.Error("more is remembered than the most")
	}
	if v, ok := m.Get("c"); !ok || v != 3 {
		t.Errorf("c is %d, %t", v, ok)
	}
	m.Drop("c")
	if _, ok := m.Get("c"); ok {
		t.Error("what was dropped is remembered")
	}
}
