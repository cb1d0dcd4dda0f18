package console

import "restock/local/aws/sqs"

// Kinds of nodes.
const (
	KindBuyers          = "buyers"
	KindAPI             = "api"
	KindFunction        = "function"
	KindTopic           = "topic"
	KindQueue           = "queue"
	KindDeadLetterQueue = "dead-letter-queue"
	KindDatabase        = "database"
	KindSecrets         = "secrets"
	KindSchedule        = "schedule"
	KindFactory         = "factory"
	KindPeople          = "people"
)

// A Graph is the stack as a picture: what there is, and between what things move.
type Graph struct {
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`

	// Routes are the functions that serve the HTTP API's routes: ids of nodes by route key.
	Routes map[string]string `json:"-"`
}

// A Node is a part of the stack.
type Node struct {
	ID     string `json:"id"` // its kind, a colon and its name
	Kind   string `json:"kind"`
	Label  string `json:"label"`
	Detail string `json:"detail,omitempty"`

	Name string `json:"-"` // as the run's log calls it
	ARN  string `json:"-"` // empty where it has none
}

// An Edge is a way that things move.
type Edge struct {
	ID    string `json:"id"` // EdgeID of its nodes
	From  string `json:"from"`
	To    string `json:"to"`
	Label string `json:"label,omitempty"`
}

// NodeID is the id of a node of a kind.
func NodeID(kind, name string) string { return kind + ":" + name }

// EdgeID is the id of the edge between two nodes.
func EdgeID(from, to string) string { return from + ">" + to }

// A picture answers questions about a graph.
type picture struct {
	graph Graph
	nodes map[string]Node     // by id
	named map[string][]string // ids by name and by ARN
	edges map[string]bool     // by id
}

func newPicture(g Graph) *picture {
	p := &picture{graph: g, nodes: map[string]Node{}, named: map[string][]string{}, edges: map[string]bool{}}
	for _, n := range g.Nodes {
		p.nodes[n.ID] = n
		p.named[n.Name] = append(p.named[n.Name], n.ID)
		if n.ARN != "" {
			p.named[n.ARN] = append(p.named[n.ARN], n.ID)
		}
	}
	for _, e := range g.Edges {
		p.edges[e.ID] = true
	}
	return p
}

// find is the id of the node of one of some kinds with a name, or an ARN; empty if there is none.
func (p *picture) find(nameOrARN string, kinds ...string) string {
	for _, id := range p.named[nameOrARN] {
		for _, kind := range kinds {
			if p.nodes[id].Kind == kind {
				return id
			}
		}
	}
	return ""
}

func (p *picture) queue(nameOrARN string) string {
	return p.find(nameOrARN, KindQueue, KindDeadLetterQueue)
}

// only is the id of the first node of a kind: of those that there is one of.
func (p *picture) only(kind string) string {
	for _, n := range p.graph.Nodes {
		if n.Kind == kind {
			return n.ID
		}
	}
	return ""
}

// edge is the id of the edge between two nodes, empty if none is drawn.
func (p *picture) edge(from, to string) string {
	if id := EdgeID(from, to); p.edges[id] {
		return id
	}
	return ""
}

// between is the edge that joins two nodes, whichever way it leads; empty if none is drawn.
func (p *picture) between(a, b string) string {
	if id := p.edge(a, b); id != "" {
		return id
	}
	return p.edge(b, a)
}

// onlyEdge is the edge that leads into a node from one of a kind; empty where there is none, or more than one.
func (p *picture) onlyEdge(kind, to string) (found string) {
	for _, e := range p.graph.Edges {
		if e.To == to && p.nodes[e.From].Kind == kind {
			if found != "" {
				return ""
			}
			found = e.ID
		}
	}
	return found
}

// out is the first edge that leads from a node to one of a kind; empty if there is none.
func (p *picture) out(from, kind string) string {
	for _, e := range p.graph.Edges {
		if e.From == from && p.nodes[e.To].Kind == kind {
			return e.ID
		}
	}
	return ""
}

// deadLetterQueues are the queues of a list that are drawn as such.
func (p *picture) deadLetterQueues(queues []*sqs.Queue) (found []*sqs.Queue) {
	for _, q := range queues {
		if p.find(q.ARN(), KindDeadLetterQueue) != "" {
			found = append(found, q)
		}
	}
	return found
}
