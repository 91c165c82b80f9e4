using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>
/// Everybody is judged by new and changed conditions, many pages and many segments at a time, as the conditions say of each lead.
/// </summary>
public sealed class FirstJudgingTests
{
    private const int Leads = 150;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(180);

    private static readonly string[] Conditions =
    [
        "score.total >= 50",
        "company.employees > 100 and score.total < 70.5",
        "lead.channel = 'PAID search'",
        "lead.campaign in ('KIEL', 'spring')",
        "lead.campaign = 'kıel' or lead.campaign = 'Kiel'",
        "lead.title = 'vp marketing' and score.total > 10",
        "lead.traits.plan in ('PRO', 'free')",
        "lead.traits.plan != 'pro' and company.country = 'de'",
        "not score.total >= 50",
        "company.annualRevenue >= 1000000.5 or lead.stage = 'mql'",
        "lead.createTime within 3650d and score.total > 90",
        "count(activity.type = 'PAGE', 30d) = 0 and score.total > 20",
        "lead.email = 'P7@example.com'",
        "score.total = 42 and score.total in (1, 42)",
        "exists company.industry and company.industry != 'retail'",
        "lead.keyword = '' or lead.lastTouch.source = 'Google'",
    ];

    [Fact]
    public async Task FirstJudging_ManySegmentsAtATime_AgreesWithTheConditions()
    {
        await using var fixture = await Start();
        var workspace = await fixture.NewWorkspace();
        var leads = Enumerable.Range(1, Leads).Select(Lead).ToList();
        await Insert(fixture, workspace, leads);
        var segments = await CreateAll(workspace);

        await EverybodyIsJudged(fixture, workspace);

        await AssertMembers(fixture, workspace, segments, leads);
    }

    [Fact]
    public async Task ChangedCondition_MovesMembersOut_AndThoseOfSegmentsThatAsk()
    {
        await using var fixture = await Start();
        var workspace = await fixture.NewWorkspace();
        var leads = Enumerable.Range(1, Leads).Select(Lead).ToList();
        await Insert(fixture, workspace, leads);
        var segments = await CreateAll(workspace);
        await EverybodyIsJudged(fixture, workspace);

        foreach (var (place,
            condition) in new[] { (0, "score.total >= 80"), (2, "lead.channel = 'Direct' and score.total < 20"), (6, "false") })
        {
            await workspace.Call(
                HttpMethod.Patch, $"/v1/segments/{segments[place].Id}", new JsonObject { ["condition"] = condition }.ToJsonString());
            segments[place] = (segments[place].Id, condition);
        }

        await EverybodyIsJudged(fixture, workspace);
        await AssertMembers(fixture, workspace, segments, leads);
    }

    [Fact]
    public async Task ChangesMeanwhile_AreJudgedByWhatHolds()
    {
        await using var fixture = await Start();
        var workspace = await fixture.NewWorkspace();
        var leads = Enumerable.Range(1, Leads).Select(Lead).ToList();
        await Insert(fixture, workspace, leads);

        var changes = Task.WhenAll(leads.Select((lead, number) => workspace.Publish(new LeadScoreChanged(
            Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 2, lead.LeadId, number % 100, number % 100, 0, 0, "B", "WARM", 1))));
        var segments = await CreateAll(workspace);
        await changes;

        var changed = leads.Select((lead, number) => lead with { Score = number % 100, Grade = "B", Band = "WARM" }).ToList();
        await Eventually.Equal(
            (long)Leads,
            () => fixture.Database.Scalar<long>("select count(*) from lead where workspace_id = $1 and score_version = 2", workspace.Id),
            "all scores have come", Deadline);
        await EverybodyIsJudged(fixture, workspace);
        await AssertMembers(fixture, workspace, segments, changed);
    }

    private static async Task<NurtureFixture> Start()
    {
        // Many pages of few leads, and smaller ones for the segments that count.
        var fixture = new NurtureFixture
        {
            Settings = new Dictionary<string, string> { ["Nurture__SegmentPageSize"] = "11", ["Nurture__BatchSize"] = "3" },
        };
        await fixture.InitializeAsync();
        return fixture;
    }

    private static async Task<List<(Guid Id, string Condition)>> CreateAll(TestWorkspace workspace)
    {
        var segments = new List<(Guid Id, string Condition)>();
        foreach (var condition in Conditions)
        {
            segments.Add(await Create(workspace, condition));
        }

        segments.Add(await Create(workspace, $"in_segment('{segments[0].Id}') and company.employees >= 10"));
        segments.Add(await Create(workspace, $"not in_segment('{segments[2].Id}')"));
        return segments;
    }

    private static async Task<(Guid Id, string Condition)> Create(TestWorkspace workspace, string condition)
    {
        var made = await workspace.Post(
            "/v1/segments", new JsonObject { ["displayName"] = condition, ["condition"] = condition }.ToJsonString());
        return (Guid.Parse(made["id"]!.GetValue<string>()), condition);
    }

    private static Task EverybodyIsJudged(NurtureFixture fixture, TestWorkspace workspace) => Eventually.Equal(
        0L,
        () => fixture.Database.Scalar<long>(
            "select count(*) from segment where workspace_id = $1 and evaluated_version < version", workspace.Id),
        "everybody is judged", Deadline);

    /// <summary>By each condition as it is, lead by lead; those that ask for others come after them.</summary>
    private static async Task AssertMembers(
        NurtureFixture fixture, TestWorkspace workspace, IReadOnlyList<(Guid Id, string Condition)> segments,
        IReadOnlyList<LeadFacts> leads)
    {
        var places = leads.ToDictionary(lead => lead.LeadId, _ => new HashSet<Guid>());
        var now = TestWorkspace.Now;
        foreach (var (id, text) in segments)
        {
            var condition = Condition.Parse(text, LeadFacts.SegmentCatalog).Value;
            foreach (var lead in leads)
            {
                if (condition.Holds(new SegmentSubject(lead, [], places[lead.LeadId]), now))
                {
                    places[lead.LeadId].Add(id);
                }
            }

            var members = await fixture.Database.Query(
                "select lead_id from segment_member where workspace_id = $1 and segment_id = $2", workspace.Id, id);
            Assert.Equal(
                $"{text}: {Numbers(leads.Where(lead => places[lead.LeadId].Contains(id)).Select(lead => lead.LeadId), leads)}",
                $"{text}: {Numbers(members.Select(row => (Guid)row[0]!), leads)}");
        }
    }

    private static string Numbers(IEnumerable<Guid> ids, IReadOnlyList<LeadFacts> leads)
    {
        var numbers = leads.Select((lead, number) => (lead.LeadId, number)).ToDictionary(pair => pair.LeadId, pair => pair.number);
        return string.Join(' ', ids.Select(id => numbers[id]).Order());
    }

    /// <summary>
    /// A lead of that number: everything that is told of leads is missing in some, and written in another case in others.
    /// </summary>
    private static LeadFacts Lead(int number)
    {
        var traits = new Dictionary<string, string>();
        if (number % 3 > 0)
        {
            traits[(number % 6) switch { 1 => "plan", 2 => "Plan", 4 => "PLAN", _ => "plan" }] =
                (number % 5) switch { 0 => "pro", 1 => "Pro", 2 => "free", 3 => "prö", _ => "" };
        }

        if (number % 4 > 0)
        {
            traits[number % 8 > 4
                ? "Title"
                : "title"] = (number % 7) switch { 0 => "VP Marketing", 1 => "vp MARKETING", 2 => "vp markéting", _ => "Engineer" };
        }

        var company = number % 5 == 0
            ? null
            : new CompanyFacts(
                "Acme", null, (number % 3) switch { 0 => null, 1 => "Retail", _ => "software" }, number % 7 == 0 ? null : number * 13 % 300,
                number % 6 == 0 ? 1_000_000.5m : number * 12_345.25m, number % 2 == 0 ? "DE" : "FR");
        return new(
            Guid.CreateVersion7(TestWorkspace.Now.AddMilliseconds(number)), $"p{number}@example.com", null, "FORM", null,
            TestWorkspace.Now.AddDays(-number), (number % 4) switch { 0 => "MQL", 1 => null, _ => "LEAD" }, null,
            (number % 4) switch { 0 => "Paid Search", 1 => "paid search", 2 => "", _ => "Direct" }, "google", "cpc",
            (number % 6) switch { 0 => "\u212Aiel", 1 => "kiel", 2 => "Spring", 3 => "kıel", 4 => "SPRING", _ => "" },
            number % 9 == 0 ? null : number * 7 % 101, null, null, traits, company, number % 2 == 0 ? "shoes" : null, null,
            number % 3 == 0
                ? null
                : new("Direct", number % 2 == 0 ? "google" : "bing", null, null, null, null, TestWorkspace.Now.AddHours(-number)));
    }

    private static async Task Insert(NurtureFixture fixture, TestWorkspace workspace, IReadOnlyList<LeadFacts> leads)
    {
        foreach (var lead in leads)
        {
            await fixture.Database.Query(
                """
                insert into lead (workspace_id, lead_id, profile_version, email, capture_type, create_time, channel, source, medium, campaign, keyword,
                  traits, company, last_touch, stage, stage_version, score, score_version)
                values ($1, $2, 1, $3, 'FORM', $4, $5, 'google', 'cpc', $6, nullif($7, ''), $8::jsonb, nullif($9, '')::jsonb, nullif($10, '')::jsonb, nullif($11, ''), 1, nullif($12, '')::numeric, 1)
                """,
                workspace.Id, lead.LeadId, lead.Email!, lead.CreateTime!, lead.Channel, lead.Campaign, lead.Keyword ?? "",
                JsonSerializer.Serialize(lead.Traits), lead.Company is null ? "" : JsonSerializer.Serialize(lead.Company),
                lead.LastTouch is null ? "" : JsonSerializer.Serialize(lead.LastTouch), lead.Stage ?? "",
                lead.Score?.ToString(CultureInfo.InvariantCulture) ?? "");
        }
    }
}
