package train

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Outputs holds the logits [batch, classes] of one step; A and B are deepest first. The Leader and B may be missing.
type Outputs struct {
	Leader *graph.Node
	A, B   []*graph.Node
}

// Term is one named part of the objective: a scalar, before its weight.
type Term struct {
	Name   string
	Weight float64
	// Distills says that the term is ramped up at the beginning of the training; see [Loss].
	Distills bool
	Value    *graph.Node
}

// Objective returns the terms of the cooperative loss for targets [batch, classes], each row a distribution. With p the
// softmax at the term's temperature T, and CE and KL averaged over the batch:
//
//	ce              CE(L) + CE(A) + CE(B)
//	sub_ce          sum over sub-networks s of CE(s)
//	from_leader     T² (KL(p_L | p_A) + KL(p_L | p_B))
//	from_mate       T² (KL(p_A | p_B) + KL(p_B | p_A))
//	from_teammate   T² (sum over subs a of A of KL(p_A | p_a) + sum over subs b of B of KL(p_B | p_b))
//
// The first argument of each KL is a teacher: no gradient flows into it. Terms of nets that are missing are left out, so
// that one net alone, or one with its sub-networks, trains by the same code. Weights and temperatures are ours; the
// method's publication does not give them.
func Objective(o Outputs, targets *graph.Node, w Loss) []Term {
	terms := map[string]*Term{}
	var order []string
	add := func(name string, weight float64, distills bool, value *graph.Node) {
		t := terms[name]
		if t == nil {
			t = &Term{Name: name, Weight: weight, Distills: distills}
			terms[name] = t
			order = append(order, name)
		}
		t.Value = plus(t.Value, value)
	}
	ce := func(net *graph.Node) { add("ce", w.CE, false, crossEntropy(net, targets)) }
	kl := func(name string, d Distillation, teacher, student *graph.Node) {
		add(name, d.Weight, true, distill(teacher, student, d.Temperature))
	}
	mates := [][]*graph.Node{o.A}
	if len(o.B) > 0 {
		mates = append(mates, o.B)
	}
	if o.Leader != nil {
		ce(o.Leader)
	}
	for _, mate := range mates {
		ce(mate[0])
	}
	if o.Leader != nil {
		for _, mate := range mates {
			kl("from_leader", w.FromLeader, o.Leader, mate[0])
		}
	}
	if len(mates) == 2 {
		kl("from_mate", w.FromMate, o.A[0], o.B[0])
		kl("from_mate", w.FromMate, o.B[0], o.A[0])
	}
	for _, mate := range mates {
		for _, sub := range mate[1:] {
			add("sub_ce", w.SubCE, false, crossEntropy(sub, targets))
			kl("from_teammate", w.FromTeammate, mate[0], sub)
		}
	}
	list := make([]Term, len(order))
	for i, name := range order {
		list[i] = *terms[name]
	}
	return list
}

// Total is the weighted sum of the terms; ramp, a scalar from 0 to 1, scales those that distill.
func Total(terms []Term, ramp *graph.Node) *graph.Node {
	var total *graph.Node
	for _, t := range terms {
		v := graph.MulScalar(t.Value, t.Weight)
		if t.Distills {
			v = graph.Mul(v, ramp)
		}
		total = plus(total, v)
	}
	return total
}

func plus(sum, x *graph.Node) *graph.Node {
	if sum == nil {
		return x
	}
	return graph.Add(sum, x)
}

// crossEntropy is the mean over the batch of -sum over classes of target * log softmax(logits).
func crossEntropy(logits, targets *graph.Node) *graph.Node {
	return graph.Neg(graph.ReduceAllMean(graph.ReduceSum(graph.Mul(targets, graph.LogSoftmax(logits)), -1)))
}

// distill is T² KL(teacher | student) at temperature T, a mean over the batch. The teacher is detached.
func distill(teacher, student *graph.Node, temperature float64) *graph.Node {
	t := graph.LogSoftmax(graph.DivScalar(graph.StopGradient(teacher), temperature))
	s := graph.LogSoftmax(graph.DivScalar(student, temperature))
	kl := graph.ReduceAllMean(graph.ReduceSum(graph.Mul(graph.Exp(t), graph.Sub(t, s)), -1))
	return graph.MulScalar(kl, temperature*temperature)
}
