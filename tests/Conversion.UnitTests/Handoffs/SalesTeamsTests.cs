using Lifecycle.Conversion.Domain.Handoffs;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Kernel;
using Lifecycle.Kernel.Expressions;

namespace Lifecycle.Conversion.UnitTests.Handoffs;

public sealed class SalesTeamsTests
{
    [Fact]
    public void Next_SomeAway_GoesRoundThoseWhoAreThere()
    {
        TeamMember[] members = [new("ann", false), new("bob", true), new("cem", false)];
        var turns = new List<string>();
        var last = -1;
        for (var turn = 0; turn < 5; turn++)
        {
            last = SalesTeams.Next(members, last)!.Value;
            turns.Add(members[last].Owner);
        }

        Assert.Equal(["ann", "cem", "ann", "cem", "ann"], turns);
        Assert.Null(SalesTeams.Next([new("bob", true)], 0));
        Assert.Null(SalesTeams.Next([], -1));
    }

    [Theory]
    [InlineData("a,b,c", 1, "c,b,a", "a")]
    [InlineData("a,b,c", 1, "a,c", "c")]
    [InlineData("a,b,c", 2, "a,b", "a")]
    [InlineData("a,b,c", -1, "x,y", "x")]
    [InlineData("a,b,c", 0, "x,b", "x")]
    public void Keep_MembersChange_TheNextTurnStaysFair(string before, int last, string after, string next)
    {
        var members = Members(after);

        Assert.Equal(next, members[SalesTeams.Next(members, SalesTeams.Keep(Members(before), members, last))!.Value].Owner);
    }

    [Theory]
    [InlineData("company.country in (\"DE\", \"AT\") and company.employees >= 50", true)]
    [InlineData("lead.traits.PLAN = \"pro\"", true)]
    [InlineData("lead.emailDomain = \"example.com\" and lead.score < 50", false)]
    public void Territory_Rule_ReadsLeadCompanyAndTraits(string rule, bool fits)
    {
        var lead = new TerritoryLead(
            new Dictionary<string, FieldValue>
            {
                ["company.country"] = FieldValue.Of("AT"),
                ["company.employees"] = FieldValue.Of(80m),
                ["lead.emailDomain"] = FieldValue.Of("example.com"),
                ["lead.score"] = FieldValue.Of(61m),
            },
            new Dictionary<string, string> { ["plan"] = "pro" });

        Assert.Equal(fits, Condition.Parse(rule, TerritoryLead.Catalog).Value.Holds(lead, DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void Enter_StepWithRequirements_NamesEveryFieldThatIsMissing()
    {
        var step = new PipelineStep("Proposal", 0.5m, Deals.RequirableFields);

        var refused = Deals.Enter(step, new(0, null, "ann", null, "Acme", null, 1, 0)).Error!;

        Assert.Equal(ErrorKind.InvalidArgument, refused.Kind);
        Assert.Equal(["amount", "expectedCloseDate", "product", "leadId", "lines"],
            refused.Violations.Select(violation => violation.Field));
        Assert.True(Deals.Enter(step, new(1, new(2026, 3, 31), "ann", "Suite", "Acme", Guid.Empty, 1, 1)).Succeeded);
    }

    [Fact]
    public void Total_Lines_IsRoundedToTheMinorUnit()
    {
        DealLine[] lines = [new("Suite", 3, 99.99m), new("Hours", 0.5m, 150.01m)];

        Assert.Equal(374.98m, Deals.Total(lines, "USD"));
        Assert.Equal(375m, Deals.Total(lines, "JPY"));
    }

    private static TeamMember[] Members(string names) => [.. names.Split(',').Select(name => new TeamMember(name, false))];
}
