package store

import "iter"

// Records yields every record of every table, with the table's name before its key, for tests and tools that must not forget a table.
func (s Schema) Records(tx Tx) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		more := true
		for _, t := range s {
			c := t.tableCore()
			tx.list(c, "", "", func(key string, rec any) bool {
				more = yield(c.name+" "+key, rec)
				return more
			})
			if !more {
				return
			}
		}
	}
}
