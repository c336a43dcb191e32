package storetest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berth-ecs/berth/store"
)

var limitChecks = []check{
	{"a transaction holds 100 guards and 100 writes", func(k *kit) {
		k.do(k.a, func(tx store.Tx) {
			for i := range store.MaxWrites {
				id := fmt.Sprintf("i%03d", i)
				value(tx, id)
				put(id, i)(tx)
			}
		})
		k.see(k.a, store.Any, func(tx store.Tx) {
			if n := len(all(tx)); n != store.MaxWrites {
				k.Errorf("%d records", n)
			}
		})
	}},
	{"a transaction that is too large says so and writes nothing", func(k *kit) {
		for what, fn := range map[string]func(tx store.Tx){
			"writes": func(tx store.Tx) {
				for i := range store.MaxWrites + 1 {
					put(fmt.Sprint("i", i), i)(tx)
				}
			},
			"guards": func(tx store.Tx) {
				for i := range store.MaxGuards + 1 {
					value(tx, fmt.Sprint("i", i))
				}
				put("x", 1)(tx)
			},
			"bytes": func(tx store.Tx) { put("x", 1, strings.Repeat("t", store.MaxBytes))(tx) },
		} {
			err := k.a.Update(k.ctx, func(tx store.Tx) error { fn(tx); return nil })
			var large *store.TooLargeError
			if !errors.Is(err, store.ErrTooLarge) || !errors.As(err, &large) {
				k.Errorf("%s: error %v", what, err)
			}
		}
		k.see(k.b, store.Fresh, func(tx store.Tx) {
			if n := len(all(tx)); n != 0 {
				k.Errorf("%d records written", n)
			}
		})
	}},
}
