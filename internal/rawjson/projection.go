package rawjson

// Step goes into a value: by a key into an object or, when the key is "", by a number into an array.
type Step struct {
	Key   string
	Index int
}

// Projection is the paths by which values are looked for in texts. It never changes.
type Projection struct {
	root  node
	paths int
	nodes int
}

// node is a place in a text, in the tree of all paths.
type node struct {
	id       int // of the projection's nodes, for what a [Finder] notes
	paths    []int
	under    []int // paths that go on from it
	keys     []keyed
	byKey    map[string]*node // where there are manyKeys
	lengths  uint64           // bit n: a key has n bytes; the last bit: or more
	elements []indexed
}

type keyed struct {
	key  string
	node *node
}

type indexed struct {
	index int
	node  *node
}

// NewProjection makes the projection on paths, none of which is empty.
func NewProjection(paths [][]Step) *Projection {
	p := &Projection{paths: len(paths), nodes: 1}
	for i, path := range paths {
		at := &p.root
		for _, step := range path {
			at.under = append(at.under, i)
			at = p.within(at, step)
		}
		at.paths = append(at.paths, i)
	}
	return p
}

// within gives the node of a step, made when it is new.
func (p *Projection) within(at *node, step Step) *node {
	made := &node{id: p.nodes}
	if step.Key == "" {
		for _, e := range at.elements {
			if e.index == step.Index {
				return e.node
			}
		}
		at.elements = append(at.elements, indexed{step.Index, made})
	} else {
		if found := at.child([]byte(step.Key)); found != nil {
			return found
		}
		at.add(step.Key, made)
	}
	p.nodes++
	return made
}

// manyKeys is from how many keys on they are found by their hashes. Fewer are found sooner one by one.
const manyKeys = 64

func (n *node) add(key string, child *node) {
	n.keys = append(n.keys, keyed{key, child})
	n.lengths |= lengthBit(len(key))
	if len(n.keys) < manyKeys {
		return
	}
	if n.byKey == nil {
		n.byKey = map[string]*node{}
		for _, k := range n.keys {
			n.byKey[k.key] = k.node
		}
	}
	n.byKey[key] = child
}

func lengthBit(n int) uint64 { return 1 << min(n, 63) }

func (n *node) child(key []byte) *node {
	if n.lengths&lengthBit(len(key)) == 0 {
		return nil
	}
	if n.byKey != nil {
		return n.byKey[string(key)]
	}
	for i := range n.keys {
		if n.keys[i].key == string(key) {
			return n.keys[i].node
		}
	}
	return nil
}

func (n *node) element(index int) *node {
	for _, e := range n.elements {
		if e.index == index {
			return e.node
		}
	}
	return nil
}

// Finder looks up the paths of a projection in one text after another. It serves one goroutine.
type Finder struct {
	projection *Projection
	found      [][]byte
	starts     []int    // by path: where in the text what was found is
	recalls    []recall // by node
	entered    []uint64 // by node: the last text in which it was there
	texts      uint64
	scanner
}

// Finder makes a finder.
func (p *Projection) Finder() *Finder {
	return &Finder{projection: p, found: make([][]byte, p.paths), starts: make([]int, p.paths), recalls: make([]recall, p.nodes), entered: make([]uint64, p.nodes)}
}

// Find gives for each path the value that is there, exactly as it stands in the text, or nil. Of members of one name the first counts. It is valid
// until the next call. The whole text is checked: ok is false unless it is one JSON value, as [Valid] has it, in which also no half of a
// surrogate pair stands alone.
func (f *Finder) Find(text []byte) (found [][]byte, ok bool) {
	clear(f.found)
	f.text = text
	f.texts++
	i := f.space(0)
	if i = f.value(&f.projection.root, i); i < 0 {
		return nil, false
	}
	return f.found, f.space(i) == len(text) && paired(text)
}

// value passes the value at i, which is that of a node. Like all that pass something it returns where that ends, or -1 when it is not JSON.
// It recurses along paths only.
func (f *Finder) value(n *node, i int) int {
	end := -1
	switch c := f.at(i); {
	case c == '{' && len(n.keys) > 0:
		end = f.known(n, i)
	case c == '[' && len(n.elements) > 0:
		end = f.array(n, i)
	default:
		end = f.skip(i)
	}
	if end >= 0 {
		for _, path := range n.paths {
			f.set(path, i, end)
		}
	}
	return end
}

func (f *Finder) object(n *node, i int) int {
	if i = f.space(i + 1); f.at(i) == '}' {
		return i + 1
	}
	for {
		end, value, escaped, ok := name(f.text, i)
		if !ok {
			return -1
		}
		key := f.text[i+1 : end-1]
		if escaped {
			key = unescape(f.text[i:end])
		}
		if i = f.member(n.child(key), value); i < 0 {
			return i
		}
		i = f.space(i)
		switch f.at(i) {
		case ',':
			i = f.space(i + 1)
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// member passes a value that may be of a node, unless the node was entered before.
func (f *Finder) member(n *node, i int) int {
	if n == nil || f.entered[n.id] == f.texts {
		return f.skip(i)
	}
	f.entered[n.id] = f.texts
	return f.value(n, i)
}

func (f *Finder) array(n *node, i int) int {
	if i = f.space(i + 1); f.at(i) == ']' {
		return i + 1
	}
	for index := 0; ; index++ {
		if i = f.member(n.element(index), i); i < 0 {
			return i
		}
		i = f.space(i)
		switch f.at(i) {
		case ',':
			i = f.space(i + 1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}
