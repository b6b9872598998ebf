package launchapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"launchlake/internal/rawjson"
)

// envelope is what the API wraps a page in.
type envelope struct {
	total   int    // -1 when the body does not say
	next    string // empty on the last page
	results []json.RawMessage
	keys    []Key // of the results
}

// splitPage cuts a body into its results. They alias the body: whatever JSON value a result is, its bytes stay as
// they were served. The whole body must be JSON, though strings may hold bytes that are no UTF-8.
func splitPage(body []byte, walker *rawjson.Walker) (envelope, error) {
	var (
		page     = envelope{total: -1}
		results  []byte            // the member's value
		elements []json.RawMessage // of the member that is being passed, and what is known of each
		keys     []Key
		key      Key
		nextErr  error
	)
	at, ok := walker.Walk(body, recordLevels, func(level int, name, value []byte) {
		switch level {
		case 3:
			key.take(name, value)
		case 2:
			elements, keys, key = append(elements, value), append(keys, key), Key{}
		case 1:
			switch string(name) {
			case "count":
				if n, err := strconv.Atoi(string(value)); err == nil {
					page.total = n
				}
			case "next":
				page.next, nextErr = linkOf(value)
			case "results":
				results, page.results, page.keys = value, elements, keys
				elements, keys = nil, nil
			}
			elements, keys = elements[:0], keys[:0]
		}
	})
	switch {
	case !ok:
		return envelope{}, notJSON(body, at)
	case nextErr != nil:
		return envelope{}, nextErr
	case rawjson.Kind(body) != '{' || results == nil:
		return envelope{}, errors.New("no page: results is missing")
	case rawjson.Kind(results) != '[':
		return envelope{}, errors.New("no page: results is not an array")
	}
	return page, nil
}

// recordLevels are the levels of a body down to the members of its results.
const recordLevels = 4

// take keeps the value of a member when it belongs to the key.
func (k *Key) take(name, value []byte) {
	switch string(name) {
	case "id":
		k.ID = value
	case "last_updated":
		k.LastUpdated = value
	}
}

func linkOf(value []byte) (string, error) {
	text, ok := rawjson.Text(value)
	if !ok && rawjson.Kind(value) != 'n' {
		return "", errors.New("no page: next is neither a string nor null")
	}
	return text, nil
}

func notJSON(body []byte, at int) error {
	if at == len(body) {
		return fmt.Errorf("the body is no JSON: it breaks off after %d bytes", at)
	}
	return fmt.Errorf("the body is no JSON: byte %d of %d is %q", at+1, len(body), body[at])
}
