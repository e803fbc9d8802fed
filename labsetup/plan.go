package labsetup

// Plan returns the steps of Run before any of them ran, in order: Outcome, Got
// and what else comes out of a step are empty. It makes no call.
func (l *Lab) Plan() []Step {
	var steps []Step
	for _, c := range l.chapters() {
		for _, s := range c.steps {
			s.Chapter, s.Optional = c.title, lessonOf(c.title).Optional
			steps = append(steps, s.Step)
		}
	}
	return steps
}
