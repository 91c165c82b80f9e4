using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Nurture.Domain.Programs;

namespace Nurture.UnitTests;

public sealed class EnrollmentEngineTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid Welcome = Guid.Parse("01900000-0000-7000-8000-000000000001");
    private static readonly Guid Guide = Guid.Parse("01900000-0000-7000-8000-000000000002");

    [Fact]
    public void Advance_FromAMail_QueuesItAndStandsAtTheNextWait()
    {
        var path = Path(new SendEmailStep("a", Welcome), new WaitStep("b", TimeSpan.FromDays(2)), new SendEmailStep("c", Guide));

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, new TestLead());

        Assert.Equal(["a"], Names(advance.Completed));
        Assert.Equal(["a"], Names(advance.Effects));
        Assert.Equal((EnrollmentState.Active, new Position("b", 1, Now, Now.AddDays(2))), (advance.State, advance.At));
    }

    [Fact]
    public void Advance_FromTheLastWait_SendsAndCompletes()
    {
        var path = Path(new SendEmailStep("a", Welcome), new WaitStep("b", TimeSpan.FromDays(2)), new SendEmailStep("c", Guide));

        var advance = EnrollmentEngine.Advance(path, At("b", 1), Now, new TestLead());

        Assert.Equal(["b", "c"], Names(advance.Completed));
        Assert.Equal((Guide, 2), (((SendEmailStep)advance.Effects[0].Step).EmailId, advance.Effects[0].Visit));
        Assert.Equal((EnrollmentState.Completed, null), (advance.State, advance.At));
    }

    [Theory]
    [InlineData(true, new[] { "a", "b", "c" })]
    [InlineData(false, new[] { "a", "c" })]
    public void Advance_AtABranch_TakesTheWayOfItsCondition(bool holds, string[] passed)
    {
        var path = Path(
            new BranchStep("a", "lead.stage = \"LEAD\"", "c"),
            new SendEmailStep("b", Welcome),
            new ExitStep("c"),
            new SendEmailStep("d", Guide));

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, new TestLead { Decides = _ => holds });

        Assert.Equal(passed, Names(advance.Completed));
        Assert.Equal((EnrollmentState.Completed, holds ? 1 : 0), (advance.State, advance.Effects.Count));
    }

    [Fact]
    public void Advance_BranchWithoutElse_EndsThePath()
    {
        var path = Path(new BranchStep("a", "true", null), new SendEmailStep("b", Welcome));

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, new TestLead { Decides = _ => false });

        Assert.Equal((EnrollmentState.Completed, 0), (advance.State, advance.Effects.Count));
    }

    [Fact]
    public void Advance_AtAStepThatIsGone_LeavesTheProgram()
    {
        var advance = EnrollmentEngine.Advance(Path(new ExitStep("a")), At("b"), Now, new TestLead());

        Assert.Equal((EnrollmentState.Exited, EnrollmentEngine.StepRemoved), (advance.State, advance.ExitReason));
        Assert.Empty(advance.Completed);
    }

    [Fact]
    public void Advance_NextStepNamed_JumpsThere()
    {
        var path = Path(new SendEmailStep("a", Welcome) { Next = "c" }, new SendEmailStep("b", Guide), new GoalStep("c"));

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, new TestLead());

        Assert.Equal((EnrollmentState.Converted, "a c"), (advance.State, string.Join(' ', Names(advance.Completed))));
    }

    [Theory]
    [InlineData(true, "wait bought")]
    [InlineData(false, "wait late")]
    public void Advance_FromAnEventWait_GoesByWhatHappened(bool happened, string passed)
    {
        var path = Path(
            new WaitEventStep("wait", "Order Completed", null, null, TimeSpan.FromDays(3), "late"),
            new GoalStep("bought"), new ExitStep("late"));

        var advance = EnrollmentEngine.Advance(path, At("wait") with { EventTime = happened ? Now : null }, Now, new TestLead());

        Assert.Equal(passed, string.Join(' ', Names(advance.Completed)));
    }

    [Fact]
    public void Advance_IntoAnEventWait_SaysWhatItWaitsFor()
    {
        var path = Path(new SendEmailStep("a", Welcome), new WaitEventStep("b", "Order Completed", null, null, TimeSpan.FromDays(3), null));

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, new TestLead());

        Assert.Equal(("Order Completed", Now.AddDays(3)), (advance.WaitsFor, advance.At?.DueAt));
    }

    [Theory]
    [InlineData("2026-03-10", false, "2026-03-03T08:00:00Z")]
    [InlineData("2026-03-10T15:00:00Z", false, "2026-03-03T08:00:00Z")]
    [InlineData("1990-03-05", true, "2027-02-26T08:00:00Z")]
    [InlineData("2026-03-05", false, null)]
    [InlineData("soon", false, null)]
    public void Advance_IntoADateWait_WaitsForTheDayInTheLeadsZone(string date, bool yearly, string? due)
    {
        var path = Path(
            new SendEmailStep("a", Welcome),
            new WaitDateStep("b", "contractEnd", -7, new TimeOnly(9, 0), yearly, "missing"),
            new SendEmailStep("c", Guide), new ExitStep("end"), new ExitStep("missing"));
        var lead = new TestLead { Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"), Traits = { ["contractEnd"] = date } };

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, lead);

        Assert.Equal(due is null ? null : DateTimeOffset.Parse(due, null), advance.At?.DueAt);
        Assert.Equal(due is null ? "a b missing" : "a", string.Join(' ', Names(advance.Completed)));
    }

    [Fact]
    public void Advance_FromADateWaitThatWasWaitedFor_GoesOn()
    {
        var path = Path(new WaitDateStep("b", "day", 0, new TimeOnly(9, 0), false, "missing"), new GoalStep("c"), new ExitStep("missing"));

        var waited = EnrollmentEngine.Advance(path, At("b") with { EnterTime = Now.AddDays(-1) }, Now, new TestLead());
        var unknown = EnrollmentEngine.Advance(path, At("b"), Now, new TestLead());

        Assert.Equal(("b c", "b missing"), (string.Join(' ', Names(waited.Completed)), string.Join(' ', Names(unknown.Completed))));
    }

    [Fact]
    public void Advance_AfterATraitIsSet_BranchesSeeIt()
    {
        var path = Path(new UpdateTraitStep("a", "plan", "pro"), new BranchStep("b", "plan", "d"), new GoalStep("c"), new ExitStep("d"));
        var lead = new TestLead();
        lead.Decides = _ => lead.Trait("plan") == "pro";

        var advance = EnrollmentEngine.Advance(path, At("a"), Now, lead);

        Assert.Equal((EnrollmentState.Converted, "a"), (advance.State, string.Join(' ', Names(advance.Effects))));
    }

    [Fact]
    public void Advance_MailThatMayNotGoYet_HoldsTheLeadAtItsStep()
    {
        var path = Path(new WaitStep("a", TimeSpan.FromDays(1)), new SendEmailStep("b", Welcome), new ExitStep("c"));
        var lead = new TestLead { Verdict = new(false, Now.AddHours(8)) };

        var held = EnrollmentEngine.Advance(path, At("a"), Now, lead);
        var heldAgain = EnrollmentEngine.Advance(path, held.At!, Now.AddHours(8), new TestLead { Verdict = new(false, Now.AddHours(9)) });
        var sent = EnrollmentEngine.Advance(path, heldAgain.At!, Now.AddHours(9), new TestLead());

        Assert.Equal(("a", new Position("b", 1, Now, Now.AddHours(8))), (string.Join(' ', Names(held.Completed)), held.At));
        Assert.Empty(heldAgain.Completed);
        Assert.Equal(new Position("b", 1, Now, Now.AddHours(9)), heldAgain.At);
        Assert.Equal((EnrollmentState.Completed, 1), (sent.State, sent.Effects.Count));
    }

    [Fact]
    public void Advance_MailBeyondACap_IsLeftOut()
    {
        var advance = EnrollmentEngine.Advance(
            Path(new SendEmailStep("a", Welcome)), At("a"), Now, new TestLead { Verdict = SendVerdict.Skip });

        Assert.Equal((EnrollmentState.Completed, 0, "a"), (advance.State, advance.Effects.Count, string.Join(' ', Names(advance.Skipped))));
    }

    [Fact]
    public void Advance_RoundALoop_CountsItsVisitsAndEndsAtTheLimit()
    {
        var path = Path(new SendEmailStep("mail", Welcome), new WaitStep("wait", TimeSpan.FromDays(7)) { Next = "mail" });
        var (position, now, visits, advances) = (At("mail"), Now, new List<(string, int)>(), 0);
        Advance advance;
        do
        {
            advance = EnrollmentEngine.Advance(path, position, now, new TestLead());
            visits.AddRange(advance.Completed.Select(visit => (visit.Step.Id, visit.Visit)));
            (position, now) = (advance.At ?? position, advance.At?.DueAt ?? now);
        }
        while (advance.State == EnrollmentState.Active && ++advances < 2 * EnrollmentEngine.MaxVisits);

        Assert.Equal((EnrollmentState.Exited, EnrollmentEngine.LoopLimit), (advance.State, advance.ExitReason));
        Assert.Equal(EnrollmentEngine.MaxVisits, visits.Count);
        Assert.Equal(Enumerable.Range(0, EnrollmentEngine.MaxVisits), visits.Select(visit => visit.Item2));
    }

    [Fact]
    public void Share_OfManyLeads_IsEvenAndTheSameForTheSameSeed()
    {
        var leads = Enumerable.Range(0, 10_000).Select(number => new Guid(number, 0, 0, new byte[8])).ToList();

        var shares = leads.Select(lead => EnrollmentEngine.Share("seed", lead)).ToList();

        Assert.Equal(shares, leads.Select(lead => EnrollmentEngine.Share("seed", lead)));
        // Six standard deviations of 10,000 draws at 30 %.
        Assert.InRange(shares.Count(share => share < 30), 2725, 3275);
        Assert.InRange(
            leads.Count(lead => EnrollmentEngine.Share("seed", lead) < 50 == EnrollmentEngine.Share("other", lead) < 50), 4700, 5300);
    }

    [Fact]
    public void Advance_AtASplit_TakesTheWayOfTheLeadsShare()
    {
        var path = Path(new SplitStep("ab", "s", [new(30, "b"), new(70, null)]), new ExitStep("a"), new GoalStep("b"));
        foreach (var lead in Enumerable.Range(0, 200).Select(number => new TestLead { Id = new Guid(number, 0, 0, new byte[8]) }))
        {
            var advance = EnrollmentEngine.Advance(path, At("ab"), Now, lead);

            Assert.Equal(EnrollmentEngine.Share("s", lead.Id) < 30 ? "b" : "a", advance.Completed[1].Step.Id);
        }
    }

    [Fact]
    public void Advance_AnyLinearPath_PassesEachStepAtMostOnceAndWaitsTheSumOfItsWaits() =>
        Prop.ForAll(PathGenerator.ToArbitrary(), input =>
        {
            var (path, choices) = input;
            var lead = new TestLead { Decides = condition => choices[path.IndexOf(condition)] };
            var position = EnrollmentEngine.Begin(path, Now, lead, out _);
            var (now, passed, mails, state, advances) = (Now, new List<string>(), 0, EnrollmentState.Active, 0);
            while (state == EnrollmentState.Active)
            {
                now = position.DueAt;
                var advance = EnrollmentEngine.Advance(path, position, now, lead);
                // The same again, as after a crash: the same advance.
                var again = EnrollmentEngine.Advance(path, position, now, lead);
                Assert.Equal((advance.At, advance.State), (again.At, again.State));
                Assert.Equal(advance.Effects, again.Effects);
                passed.AddRange(Names(advance.Completed));
                mails += advance.Effects.Count;
                (state, position) = (advance.State, advance.At ?? position);
                Assert.True(++advances <= path.Steps.Count);
            }

            Assert.Equal(EnrollmentState.Completed, state);
            Assert.Equal(passed.Distinct().Count(), passed.Count);
            Assert.Equal(passed, path.Steps.Select(at => at.Id).Where(passed.Contains));
            Assert.Equal(mails, path.Steps.OfType<SendEmailStep>().Count(at => passed.Contains(at.Id)));
            var waits = path.Steps.OfType<WaitStep>().Where(at => passed.Contains(at.Id)).Sum(at => at.Duration.TotalMinutes);
            Assert.Equal(waits, (now - Now).TotalMinutes, 6);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    private static Gen<(ProgramPath Path, bool[] Choices)> PathGenerator =>
        from count in Gen.Choose(1, 12)
        from kinds in Gen.Choose(0, 3).ArrayOf(count)
        from numbers in Gen.Choose(1, 5000).ArrayOf(count)
        from choices in ArbMap.Default.GeneratorFor<bool>().ArrayOf(count)
        select (Path([.. kinds.Select((kind, index) => MakeStep(kind, index, numbers[index], count))]), choices);

    /// <summary>A branch's condition is its own name, by which the test decides.</summary>
    private static Step MakeStep(int kind, int index, int number, int count) => kind switch
    {
        0 => new SendEmailStep($"s{index}", Welcome),
        1 => new WaitStep($"s{index}", TimeSpan.FromMinutes(number)),
        2 => new BranchStep($"s{index}", $"s{index}", index + 1 + (number % count) is var later && later < count ? $"s{later}" : null),
        _ => new ExitStep($"s{index}"),
    };

    private static Position At(string step, int visit = 0) => new(step, visit, Now, Now);

    private static IEnumerable<string> Names(IEnumerable<StepVisit> visits) => visits.Select(visit => visit.Step.Id);

    private static ProgramPath Path(params Step[] steps) => new([new ManualTrigger()], steps, [], null, Reentry.Never);
}

/// <summary>A lead as a test wants it.</summary>
internal sealed class TestLead : IProgramLead
{
    public Guid Id { get; init; } = Guid.Parse("01900000-0000-7000-8000-00000000000a");

    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    public Func<string, bool> Decides { get; set; } = _ => true;

    public SendVerdict Verdict { get; init; } = SendVerdict.Go;

    public Dictionary<string, string> Traits { get; } = [];

    public bool Holds(string condition) => Decides(condition);

    public string? Trait(string name) => Traits.GetValueOrDefault(name);

    public void SetTrait(string name, string? value) => Traits[name] = value ?? "";

    public HashSet<Guid> Lists { get; } = [];

    /// <summary>When a person did what a step waits for.</summary>
    public Func<WaitEmailStep, DateTimeOffset?> Engages { get; init; } = _ => null;

    public void ChangeList(Guid list, bool adds) => _ = adds ? Lists.Add(list) : Lists.Remove(list);

    public DateTimeOffset? Engaged(WaitEmailStep wait) => Engages(wait);

    public SendVerdict MaySend(DateTimeOffset now) => Verdict;
}
