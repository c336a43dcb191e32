package lan

// Abandon is what the kernel does to a relay whose process ends: its files are closed, and nothing else.
func (r *Relay) Abandon() {
	for _, t := range r.taps {
		_ = t.Close()
	}
	r.ends.Wait()
}
