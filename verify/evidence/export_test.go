package evidence

import "encoding/json"

// ParseRecord reads the JSON of a record without a file around it.
func ParseRecord(data []byte) (*File, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if err := r.check(0); err != nil {
		return nil, err
	}
	return NewFile(&r)
}
