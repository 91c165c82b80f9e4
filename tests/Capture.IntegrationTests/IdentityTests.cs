using System.Net;
using System.Text.Json.Nodes;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Capture.V1;
using Lifecycle.Testing;

namespace Capture.IntegrationTests;

/// <summary>Who is who, whatever the order in which it is told.</summary>
public sealed class IdentityTests(CaptureFixture fixture)
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Identify_WithTheDeviceOnly_TellsOfThePersonKnownBeforeOrLater(bool isKnownFirst)
    {
        var workspace = fixture.Workspace();
        object[] messages =
        [
            Messages.Form("a", Messages.At(Start, 10), "ada@acme.example"),
            Anonymous("a", 5, new { title = "CTO", plan = "trial" }),
            Anonymous("a", 20, new { plan = "pro" }),
            Group("a", 6, new { name = "Acme", employees = 40 }),
        ];

        foreach (var message in isKnownFirst ? messages : messages.Reverse())
        {
            await workspace.Batch(message);
        }

        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal(("CTO", "pro"), (Text(lead["traits"]!["title"]), Text(lead["traits"]!["plan"])));
        Assert.Equal(("Acme", 40), (Text(lead["company"]!["name"]), lead["company"]!["employees"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Identify_OnASharedDevice_MovesWithTheActivityToWhoseItIs()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(
            Anonymous("kiosk", 5, new { seat = "window" }), Messages.Form("kiosk", Messages.At(Start, 10), "bob@acme.example"));
        Assert.Equal("window", Text((await Lead(workspace, "bob"))["traits"]!["seat"]));

        // It turns out that Alice sat there first: what was told belongs to her.
        await workspace.Batch(Messages.Form("kiosk", Messages.At(Start, 1), "alice@acme.example"));

        Assert.Equal("window", Text((await Lead(workspace, "alice"))["traits"]!["seat"]));
        Assert.Null((await Lead(workspace, "bob"))["traits"]!["seat"]);
    }

    [Fact]
    public async Task Email_DomainInUnicodeAndInPunycode_IsOnePerson()
    {
        var workspace = fixture.Workspace();

        await workspace.Batch(
            Messages.Form("a", Messages.At(Start, 1), "ada@Bücher.example"),
            Messages.Form("b", Messages.At(Start, 2), "Ada@xn--bcher-kva.example"));
        await workspace.Import("/v1/leads:import", "email,company,domain\nada@bücher.example,Bücher,BÜCHER.example\n");

        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal(
            ("ada@xn--bcher-kva.example", "xn--bcher-kva.example"), (Text(lead["email"]), Text(lead["company"]!["domain"])));
        Assert.Single(
            (await workspace.Get($"/v1/leads?filter={Uri.EscapeDataString("email = \"ada@bücher.example\"")}")).Body["leads"]!.AsArray());
    }

    [Fact]
    public async Task Group_BeforeTheUserIsKnown_IsToldToTheUser()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(new
        {
            type = "group",
            userId = "u1",
            groupId = "g1",
            messageId = "g",
            timestamp = Messages.At(Start, 0),
            traits = new { name = "Acme" }
        });

        await workspace.Batch(Messages.Identify(null, Messages.At(Start, 5), "u1", new { email = "ada@acme.example" }));

        Assert.Equal("Acme", Text((await Lead(workspace, "ada"))["company"]!["name"]));
    }

    [Fact]
    public async Task Email_InTwoWorkspaces_IsTwoPeople()
    {
        var (one, two) = (fixture.Workspace(), fixture.Workspace());
        await one.Batch(Messages.Form("a", Messages.At(Start, 0), "ada@acme.example"));
        await two.Batch(Messages.Form("a", Messages.At(Start, 0), "ADA@acme.example "));

        var (first, second) = (await Lead(one, "ada"), await Lead(two, "ada"));

        Assert.NotEqual(Text(first["id"]), Text(second["id"]));
        Assert.Equal(HttpStatusCode.NotFound, (await two.Get($"/v1/leads/{first["id"]}")).Status);
        Assert.Equal(
            HttpStatusCode.NotFound, (await two.Post("/v1/leads:merge", new { sourceId = first["id"], targetId = second["id"] })).Status);
    }

    [Fact]
    public async Task Merge_ChainOfThree_EveryOldIdAnswersAsTheLastAndNoCircleCanBe()
    {
        var workspace = fixture.Workspace();
        var ids = new List<string>();
        foreach (var name in new[] { "a", "b", "c" })
        {
            await workspace.Batch(Messages.Form(name, Messages.At(Start, ids.Count), $"{name}@acme.example"));
            ids.Add(Text((await Lead(workspace, name))["id"]));
        }

        Assert.Equal(HttpStatusCode.OK, (await workspace.Post("/v1/leads:merge", new { sourceId = ids[0], targetId = ids[1] })).Status);
        Assert.Equal(HttpStatusCode.OK, (await workspace.Post("/v1/leads:merge", new { sourceId = ids[1], targetId = ids[2] })).Status);

        using var channel = GrpcChannel.ForAddress(fixture.Service.Grpc);
        var client = new LeadService.LeadServiceClient(channel);
        var headers =
            new Metadata { { "x-lifecycle-identity", IdentityTokens.Issue(workspace.WorkspaceId, "UTC", "USD", "capture:read") } };
        foreach (var id in ids)
        {
            Assert.Equal(ids[2], Text((await workspace.Get($"/v1/leads/{id}")).Body["id"]));
            Assert.Equal(ids[2], (await client.GetLeadAsync(new() { Id = id }, headers)).Id);
            Assert.Equal((ids[2], 3), (
                (await client.GetJourneyAsync(new() { Id = id }, headers)).LeadId,
                (await client.GetJourneyAsync(new() { Id = id }, headers)).SessionCount));
            foreach (var other in ids)
            {
                // What ended is merged again without effect; what lives on cannot end in what ended in it.
                var (again, body) = await workspace.Post("/v1/leads:merge", new { sourceId = id, targetId = other });
                Assert.Equal(id == ids[2] || id == other ? HttpStatusCode.BadRequest : HttpStatusCode.OK, again);
                Assert.True(again == HttpStatusCode.BadRequest || Text(body["id"]) == ids[2]);
            }
        }

        // Every old address and every device leads to the one person.
        await workspace.Batch(Messages.Form("d", Messages.At(Start, 90), "a@acme.example"), Messages.Page("b", Messages.At(Start, 91)));
        Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray());
        Assert.Equal(5, (await workspace.Get($"/v1/leads/{ids[0]}/journey")).Body["activityCount"]!.GetValue<int>());
    }

    [Fact]
    public async Task Alias_Again_ChangesNothing()
    {
        var workspace = fixture.Workspace();
        await workspace.Batch(Messages.Identify("a", Messages.At(Start, 0), "u1", new { email = "ada@acme.example" }), Messages.Identify(
            "b", Messages.At(Start, 1), "u2", new { plan = "pro" }));
        for (var turn = 0; turn < 3; turn++)
        {
            await workspace.Batch(
                new { type = "alias", userId = "u1", previousId = "u2", messageId = $"x{turn}", timestamp = Messages.At(Start, 2 + turn) },
                new { type = "alias", userId = "u2", previousId = "u1", messageId = $"y{turn}", timestamp = Messages.At(Start, 2 + turn) });
        }

        var lead = Assert.Single((await workspace.Get("/v1/leads")).Body["leads"]!.AsArray())!;
        Assert.Equal(("ada@acme.example", "pro"), (Text(lead["email"]), Text(lead["traits"]!["plan"])));
        Assert.Equal(
            1L, await fixture.Database.Scalar<long>("select count(*) from lead_redirect where workspace_id = $1", workspace.WorkspaceId));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Messages_AnyOrderAnySplitWithRepetitions_EndInTheSamePeopleSessionsAndTouches(int round)
    {
        for (var seed = round * 1000; seed < (round * 1000) + 12; seed++)
        {
            var random = new Random(seed);
            var messages = Enumerable.Range(0, random.Next(4, 14)).Select(index => Any(random, index)).ToArray();
            var expected = fixture.Workspace();
            await expected.Post("/v1/batch", new { batch = messages });
            var state = await State(expected);

            for (var turn = 0; turn < 2; turn++)
            {
                var workspace = fixture.Workspace();
                var repeated = messages.Concat(messages.Where(_ => random.Next(4) == 0)).ToArray();
                random.Shuffle(repeated);
                foreach (var part in repeated.Chunk(random.Next(1, 5)))
                {
                    Assert.Equal(HttpStatusCode.OK, (await workspace.Post("/v1/batch", new { batch = part })).Status);
                }

                var found = await State(workspace);
                Assert.True(
                    state == found,
                    $"Seed {seed}, expected:\n{string.Join('\n', state.Split('\n').Except(found.Split('\n')))}\nfound:\n{string.Join('\n', found.Split('\n').Except(state.Split('\n')))}");
            }
        }
    }

    private static object Any(Random random, int index)
    {
        var device = $"d{random.Next(3)}";
        // No two at the same instant: then the activity's id decides, which is another in every workspace.
        var minute = random.Next(0, 240) + (index * 0.01);
        var time = Messages.At(Start, minute);
        var (email, user) = ($"p{random.Next(3)}@acme.example", $"u{random.Next(3)}");
        return random.Next(9) switch
        {
            0 => Messages.Form(device, time, email, random.Next(2) == 0 ? "demo" : "contact"),
            1 => Messages.Identify(random.Next(3) == 0 ? null : device, time, user, new { email, plan = $"plan {random.Next(3)}" }),
            2 => Messages.Identify(device, time, user, new { plan = $"plan {random.Next(3)}" }),
            3 => Anonymous(device, minute, new { seat = $"seat {random.Next(3)}" }),
            4 => Group(device, minute, new { name = $"Company {random.Next(3)}" }),
            5 => new { type = "track", @event = "Trial Started", userId = user, messageId = $"t{index}", timestamp = time },
            6 => Messages.Page(
                device, time, $"https://acme.example/{index}?utm_source=s{random.Next(2)}&utm_medium=cpc&utm_campaign=c{random.Next(2)}"),
            7 => Messages.Page(device, time, $"https://acme.example/{index}", "https://www.bing.com/"),
            _ => Messages.Page(device, time, $"https://acme.example/{index}"),
        };
    }

    private static object Anonymous(string device, double minute, object traits) =>
        new
        {
            type = "identify",
            anonymousId = device,
            messageId = $"{device}|{minute}|anonymous",
            timestamp = Messages.At(Start, minute),
            traits
        };

    private static object Group(string device, double minute, object traits) =>
        new
        {
            type = "group",
            anonymousId = device,
            groupId = "g",
            messageId = $"{device}|{minute}|group",
            timestamp = Messages.At(Start, minute),
            traits
        };

    private static async Task<JsonNode> Lead(CaptureClient workspace, string name) =>
        Assert.Single((await workspace.Get($"/v1/leads?filter=email={name}@acme.example")).Body["leads"]!.AsArray())!;

    private static string Text(JsonNode? node) => node!.GetValue<string>();

    /// <summary>Everything but the ids, each person told by all of the person's keys.</summary>
    private async Task<string> State(CaptureClient workspace)
    {
        const string People =
            """
            with person as (select lead_id, string_agg(kind || ':' || value, ',' order by kind, value) as keys from lead_identity where workspace_id = $1 group by 1)
            """;
        var parts = new[]
        {
            "select p.keys, email, external_id, create_time, capture_type, form_type, profile::text, observed::text, channel, source, campaign, last_touch ->> 'time', first_touch ->> 'time' from lead l left join person p on p.lead_id = l.id where workspace_id = $1 order by 1, 2",
            """
            select v.anonymous_id, s.start_time, s.end_time, s.channel, s.source, s.campaign, s.landing_page, s.exit_page, s.page_views, s.activities, p.keys
            from session s join visitor v on v.workspace_id = s.workspace_id and v.id = s.visitor_id left join person p on p.lead_id = s.lead_id
            where s.workspace_id = $1 order by 1, 2
            """,
            """
            select a.time, a.type, a.name, p.keys, s.start_time from activity a left join person p on p.lead_id = a.lead_id
            left join session s on s.workspace_id = a.workspace_id and s.id = a.session_id where a.workspace_id = $1 order by 1, 2, 3, a.url, a.properties::text, 4
            """,
        };
        var rows = new List<string>();
        foreach (var part in parts)
        {
            rows.AddRange((await fixture.Database.Query($"{People} {part}", workspace.WorkspaceId)).Select(row => string.Join('|', row)));
        }

        return string.Join('\n', rows);
    }
}
