package main

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseFigures(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		form map[string]string
		want Figures
		ok   bool
	}{
		"all": {
			map[string]string{"year": "2025", "salary": "1", "interest": "2", "donations": "3", "dependents": "4"},
			Figures{2025, 1, 2, 3, 4}, true,
		},
		"year alone":          {map[string]string{"year": "2024"}, Figures{Year: 2024}, true},
		"no year":             {map[string]string{"salary": "1"}, Figures{}, false},
		"this year":           {map[string]string{"year": "2026"}, Figures{}, false},
		"before the first":    {map[string]string{"year": "2023"}, Figures{}, false},
		"largest amount":      {map[string]string{"year": "2024", "salary": "1000000000000"}, Figures{Year: 2024, Salary: maxAmount}, true},
		"too large":           {map[string]string{"year": "2024", "salary": "1000000000001"}, Figures{}, false},
		"negative":            {map[string]string{"year": "2024", "interest": "-1"}, Figures{}, false},
		"not a number":        {map[string]string{"year": "2024", "donations": "many"}, Figures{}, false},
		"fraction":            {map[string]string{"year": "2024", "salary": "1.5"}, Figures{}, false},
		"too many dependents": {map[string]string{"year": "2024", "dependents": "21"}, Figures{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseFigures(func(field string) string { return test.form[field] }, now)
			if (err == nil) != test.ok || test.ok && got != test.want {
				t.Errorf("got %+v, %v; want %+v, ok %t", got, err, test.want, test.ok)
			}
		})
	}
}

// The tax at the end of a bracket is what the next one begins with.
func TestTaxOn(t *testing.T) {
	for _, test := range []struct{ taxable, want int64 }{
		{0, 0}, {100, 5}, {590_000, 29_500}, {590_100, 29_512}, {1_330_000, 118_300}, {2_660_000, 384_300},
		{4_980_000, 1_080_300}, {10_000_000, 3_088_300},
	} {
		if got := taxOn(test.taxable); got != test.want {
			t.Errorf("tax on %d: got %d, want %d", test.taxable, got, test.want)
		}
	}
}

func TestNewReturn(t *testing.T) {
	f := Figures{Year: 2024, Salary: 1_200_000, Interest: 300_000, Donations: 5_000, Dependents: 1}
	r, err := newReturn("account", "A100000009", f)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(r.Document, &d); err != nil {
		t.Fatal(err)
	}
	// 1,500,000 - 2 × 97,000 - 131,000 - 218,000 - 270,000
	if d.TaxableIncome != 687_000 || d.Tax != 41_140 || d.ReturnNumber != r.Number || d.NationalID != "A100000009" {
		t.Errorf("got %+v, want 687000 taxable and 41140 tax", d)
	}
	again, err := newReturn("account", "A100000009", f)
	if err != nil || string(again.Document) == string(r.Document) {
		t.Errorf("two returns have the same document (%v)", err)
	}
}
