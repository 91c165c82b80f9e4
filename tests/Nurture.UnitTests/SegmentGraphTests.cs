using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;

namespace Nurture.UnitTests;

/// <summary>Which segments a change can affect, how it spreads, and when time alone changes something.</summary>
public sealed class SegmentGraphTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly Guid Warm = Id(1), Big = Id(2), Target = Id(3), Rest = Id(4), Visitors = Id(5), Quiet = Id(6), List = Id(7);

    [Fact]
    public void AffectedBy_Profile_NamesReadersOfWhatDiffers()
    {
        var graph = Graph();

        Assert.Equal([Warm], Ids(graph.AffectedBy(Lead(score: 10), Lead(score: 70))));
        Assert.Equal([Big], Ids(graph.AffectedBy(Lead(employees: 10), Lead(employees: 300))));
        Assert.Empty(graph.AffectedBy(Lead(), Lead() with { Email = "other@example.com" }));
        Assert.Equal(6, graph.AffectedBy(null, Lead()).Count);
    }

    [Fact]
    public void AffectedBy_Activities_NamesCountsThatTheyEnterInto()
    {
        var graph = Graph();

        Assert.Equal([Visitors, Quiet], Ids(graph.AffectedBy(Lead(), [Page("/pricing", Now)])));
        Assert.Equal([Quiet], Ids(graph.AffectedBy(Lead(), [Page("/blog", Now)])));
        // A mail that was sent is not the lead's doing.
        Assert.Empty(graph.AffectedBy(Lead(), [new LeadActivity("EMAIL", "SENT", Now)]));
        Assert.Equal([Quiet], Ids(graph.AffectedBy(Lead(), [new LeadActivity("EMAIL", "OPEN", Now)])));
    }

    [Fact]
    public void Judge_OneChange_SpreadsToSegmentsOfSegments()
    {
        var graph = Graph();
        var members = new HashSet<Guid> { Big, Rest };

        var rose = Judge(graph, Lead(score: 70, employees: 300), members, [Warm]);

        Assert.Equal([Warm, Target], rose.Entered);
        Assert.Equal([Rest], rose.Left);
        Assert.Equal([Warm, Big, Target], members.Order());
        var fell = Judge(graph, Lead(score: 5, employees: 300), members, [Warm]);
        Assert.Equal([Rest], fell.Entered);
        Assert.Equal([Warm, Target], fell.Left);
    }

    [Fact]
    public void Judge_ListChanged_IsJudgedByWhoAsksForIt()
    {
        var graph = new SegmentGraph([new(List, null), Node(Big, $"in_segment(\"{List}\") and company.employees >= 50")]);
        var members = new HashSet<Guid> { List };

        var verdict = graph.Judge(new SegmentSubject(Lead(employees: 60), [], members), members, graph.Dependents(List), Now);

        Assert.Equal([Big], verdict.Entered);
    }

    [Fact]
    public void Judge_WindowPasses_LeavesAtItsFarEnd()
    {
        var graph = Graph();
        var members = new HashSet<Guid>();
        var visits = new[] { Page("/pricing", Now.AddDays(-6)), Page("/pricing", Now.AddDays(-1)) };

        var first = graph.Judge(new SegmentSubject(Lead(), visits, members), members, [graph.Find(Visitors)!], Now);

        Assert.Equal([Visitors], first.Entered);
        Assert.Equal([(Visitors, Now.AddDays(1))], first.Timers);
        var later = graph.Judge(new SegmentSubject(Lead(), visits, members), members, [graph.Find(Visitors)!], Now.AddDays(1));
        Assert.Equal([Visitors], later.Left);
        // The other visit may still pass the window's end; after that nothing can change.
        Assert.Equal([(Visitors, Now.AddDays(6))], later.Timers);
        Assert.Empty(graph.Judge(new SegmentSubject(Lead(), visits, members), members, [graph.Find(Visitors)!], Now.AddDays(6)).Timers);
    }

    [Fact]
    public void Judge_Inactivity_EntersByTimeAndLeavesByActivity()
    {
        var graph = Graph();
        var members = new HashSet<Guid>();
        var lead = Lead() with { CreateTime = Now.AddDays(-40) };
        var before = graph.Judge(new SegmentSubject(lead, [Page("/", Now.AddDays(-29))], members), members, [graph.Find(Quiet)!], Now);

        Assert.Empty(before.Entered);
        Assert.Equal([(Quiet, Now.AddDays(1))], before.Timers);
        var quiet = graph.Judge(
            new SegmentSubject(lead, [Page("/", Now.AddDays(-29))], members), members, [graph.Find(Quiet)!], Now.AddDays(1));
        Assert.Equal([Quiet], quiet.Entered);
        // A mail sent to the lead does not end its inactivity, an opening does.
        var sent = new[] { new LeadActivity("EMAIL", "SENT", Now) };
        Assert.Empty(graph.Judge(new SegmentSubject(lead, sent, members), members, [graph.Find(Quiet)!], Now.AddDays(1)).Left);
        var opened = new[] { new LeadActivity("EMAIL", "OPEN", Now) };
        Assert.Equal([Quiet], graph.Judge(new SegmentSubject(lead, opened, members), members, [graph.Find(Quiet)!], Now.AddDays(1)).Left);
    }

    [Fact]
    public void Judge_MailWithoutOpening_IsCounted()
    {
        var mail = Id(9).ToString();
        var graph = new SegmentGraph([Node(Warm,
            $"count(email.kind = \"SENT\" and email.id = \"{mail}\") >= 1 and count(email.kind = \"OPEN\" and email.id = \"{mail}\") = 0")]);
        var members = new HashSet<Guid>();
        var sent = new LeadActivity("EMAIL", "SENT", Now.AddHours(-2), EmailId: mail);

        Assert.Equal([Warm], graph.Judge(new SegmentSubject(Lead(), [sent], members), members, graph.Ordered, Now).Entered);
        var opened = new LeadActivity("EMAIL", "OPEN", Now.AddHours(-1), EmailId: mail);
        Assert.Equal([Warm], graph.Judge(new SegmentSubject(Lead(), [sent, opened], members), members, graph.Ordered, Now).Left);
        Assert.True(graph.Find(Warm)!.CountsMail);
    }

    [Fact]
    public void Cycle_SegmentAsksForItself_NamesTheWay()
    {
        var asks = new Dictionary<Guid, Guid[]> { [Warm] = [Big, Rest], [Big] = [Target], [Target] = [Warm], [Rest] = [] };

        Assert.Equal([Warm, Big, Target, Warm], SegmentGraph.Cycle(Warm, at => asks[at]));
        Assert.Null(SegmentGraph.Cycle(Rest, at => asks[at]));
    }

    [Theory]
    [InlineData(
        "count(activity.name = \"Demo\" and lead.stage = \"LEAD\", 7d) >= 1 and in_segment('01990000-0000-7000-8000-000000000001')", null)]
    [InlineData("activity.name = \"Demo\"", "no field 'activity.name'")]
    [InlineData("in_segment(\"warm\")", "asks for a segment's id")]
    [InlineData("count(in_segment('01990000-0000-7000-8000-000000000001')) > 0", "an activity is in no segment")]
    public void Parse_SegmentConditions(string text, string? fault)
    {
        var parsed = Condition.Parse(text, LeadFacts.SegmentCatalog);

        Assert.Equal(fault is null, parsed.Succeeded);
        Assert.Contains(fault ?? "", parsed.Error?.Message ?? "", StringComparison.Ordinal);
        Assert.False(Condition.Parse("in_segment('01990000-0000-7000-8000-000000000001')", LeadFacts.Catalog).Succeeded);
    }

    private static SegmentGraph Graph() => new(
    [
        // Made in another order than they are judged.
        Node(Rest, $"not in_segment(\"{Target}\")"),
        Node(Target, $"in_segment(\"{Warm}\") and in_segment(\"{Big}\")"),
        Node(Warm, "score.total >= 60"),
        Node(Big, "company.employees >= 50"),
        Node(Visitors, "count(activity.path startsWith \"/pricing\", 7d) >= 2"),
        Node(Quiet, "inactive(30d)"),
    ]);

    private static SegmentVerdict Judge(SegmentGraph graph, LeadFacts lead, HashSet<Guid> members, Guid[] seeds) =>
        graph.Judge(new SegmentSubject(lead, [], members), members, seeds.Select(id => graph.Find(id)!), Now);

    private static SegmentNode Node(Guid id, string condition) => new(id, Condition.Parse(condition, LeadFacts.SegmentCatalog).Value);

    private static IEnumerable<Guid> Ids(IEnumerable<SegmentNode> nodes) => nodes.Select(node => node.Id).Order();

    private static LeadActivity Page(string path, DateTimeOffset time) => new("PAGE", "Page", time, Url: $"https://example.com{path}");

    private static LeadFacts Lead(decimal score = 0, int employees = 10) => new(
        Id(99), "ada@example.com", null, "FORM", null, Now.AddDays(-1), "LEAD", null, "", "", "", "", score, null, null,
        new Dictionary<string, string>(), new(null, null, null, employees, null, null));

    private static Guid Id(int number) => Guid.Parse($"01990000-0000-7000-8000-{number:D12}");
}
