package wire

import (
	"fmt"
	"io"
)

// WriteCoverage writes a coverage table as Markdown, one section per service.
func WriteCoverage(w io.Writer, rows []Coverage) error {
	served, all := map[string]int{}, map[string]int{}
	for _, r := range rows {
		all[r.Service]++
		if r.Served {
			served[r.Service]++
		}
	}
	service := ""
	for _, r := range rows {
		if r.Service != service {
			if _, err := fmt.Fprintf(w, "\n## %s: %d of %d operations\n\n| operation | served |\n|---|---|\n", r.Service, served[r.Service], all[r.Service]); err != nil {
				return err
			}
			service = r.Service
		}
		mark := "no"
		if r.Served {
			mark = "yes"
		}
		if _, err := fmt.Fprintf(w, "| %s | %s |\n", r.Operation, mark); err != nil {
			return err
		}
	}
	return nil
}
