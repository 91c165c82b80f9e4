using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Lifecycle.Common.V1;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Erasing, merging, exporting, and mail that other systems sent.</summary>
public sealed class PersonTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Erased_Person_IsGoneEverywhereAndTheCountsStay()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        await workspace.NewWelcome();
        var (lead, name) = (Guid.CreateVersion7(), $"grace{Guid.CreateVersion7():N}");
        await workspace.Publish(workspace.Captured(lead, $"{name}@example.com"));
        await fixture.Bus.Until<EmailSent>(1, e => e.LeadId == lead);
        var mail = fixture.Mails.To($"{name}@example.com")[0];
        using (var _ = await TestWorkspace.Visit(fixture, mail.Links[0]))
        {
            await fixture.Bus.Until<EmailEngaged>(1, e => e.LeadId == lead);
        }

        await workspace.Post("/v1/suppressions", $$"""{"email":"{{name}}@example.com"}""");
        Assert.Contains(name, (await Export(workspace, lead)).ToString(), StringComparison.Ordinal);

        var erased = new LeadErased(Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 9, lead);
        await workspace.Publish(erased);
        await workspace.Publish(erased);

        await Eventually.True(
            async () => !(await Dump(workspace.Id)).Contains(name, StringComparison.Ordinal), "the name is gone from every table");
        var confirmed = Assert.Single(await fixture.Bus.Until<LeadErasureConfirmed>(1, e => e.LeadId == lead));
        Assert.Equal(
            ("nurture", 9L, 1L, 1L), (confirmed.Service, confirmed.Version, confirmed.Counts["messages"], confirmed.Counts["profiles"]));
        Assert.DoesNotContain(name, (await Export(workspace, lead)).ToString(), StringComparison.Ordinal);
        foreach (var metric in new[] { "new_leads", "emails_sent", "emails_delivered", "click_rate" })
        {
            Assert.Equal([1d], await workspace.MetricToday(metric));
        }

        // What comes late brings nobody back, and the old address is still not mailed.
        await workspace.Publish(workspace.Updated(lead, $"{name}@example.com", name, 10));
        await workspace.Publish(workspace.Captured(Guid.CreateVersion7(), $"{name}@example.com"));
        await Eventually.True(
            async () =>
                await fixture.Database.Scalar<long>(
                    "select count(*) from message where workspace_id = $1 and detail = 'SUPPRESSED'", workspace.Id) == 1,
            "the new lead is held back");
        Assert.Equal(
            1L,
            await fixture.Database.Scalar<long>(
                "select count(*) from lead where workspace_id = $1 and lead_id = $2 and email is null and traits = '{}'",
                workspace.Id,
                lead));
        Assert.Single(fixture.Mails.To($"{name}@example.com"));
    }

    [Fact]
    public async Task Merged_Lead_LivesOnAsTheOtherInWhateverOrderTheEventsCome()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var program = await workspace.NewProgram(
            """{"displayName":"Long","entryTriggers":[{"leadCaptured":{}}],"steps":[{"wait":{"duration":"3600s"}}],"reentry":"AFTER_EXIT"}""");
        var (source, target) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await workspace.Publish(workspace.Captured(source, "a@example.com"));
        await workspace.Publish(workspace.Captured(target, "b@example.com"));
        await workspace.Publish(workspace.Moved(source, "LEAD", "MQL", "QUALIFIED", 2));
        await Eventually.Equal(
            "2", async () => (await workspace.Get($"/v1/programs/{program}/report"))["entered"]!.GetValue<string>(), "both enter");
        await Eventually.Equal(1d, async () => (await workspace.MetricToday("mqls"))[0] ?? 0, "one is an MQL");

        var merged = new LeadsMerged(Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 5, source, target);
        await workspace.Publish(merged);
        await workspace.Publish(merged);

        await Eventually.Equal(1d, async () => (await workspace.MetricToday("new_leads"))[0] ?? 0, "one lead is left");
        var enrollments = (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray();
        Assert.All(enrollments, enrollment => Assert.Equal(target.ToString(), enrollment!["leadId"]!.GetValue<string>()));
        Assert.Equal(
            ["ACTIVE", "EXITED MERGED"],
            enrollments.Select(enrollment => $"{enrollment!["state"]} {enrollment["exitReason"]}".Trim()).Order());
        // A late event of the source is the target's.
        await workspace.Publish(workspace.Did(source, "TRACK", "Email Opened", TestWorkspace.Now, """{"email_id":"news-1"}"""));
        await fixture.Bus.Until<EmailEngaged>(1, e => e.LeadId == target);
        Assert.Equal([1d], await workspace.MetricToday("mqls", "&groupBy=channel"));
    }

    [Fact]
    public async Task Metrics_LeadQualifiedTwiceInThePeriod_IsOneMql()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var lead = Guid.CreateVersion7();
        await workspace.Publish(workspace.Captured(lead, "twice@example.com"));
        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 2));
        await workspace.Publish(workspace.Moved(lead, "MQL", "LEAD", "RECYCLED", 3));
        await workspace.Publish(workspace.Moved(lead, "LEAD", "MQL", "QUALIFIED", 4));

        await Eventually.Equal(
            2L,
            () => fixture.Database.Scalar<long>("select count(*) from mql where workspace_id = $1 and lead_id = $2", workspace.Id, lead),
            "both qualifications are kept");
        await Eventually.Equal(1d, async () => (await workspace.MetricToday("new_leads"))[0] ?? 0, "the lead is known");
        Assert.Equal([1d], await workspace.MetricToday("mqls"));
        Assert.Equal([1d], await workspace.MetricToday("lead_to_mql_rate"));
    }

    [Fact]
    public async Task MailOfAnotherSystem_IsCountedFromItsEvents()
    {
        var workspace = await fixture.NewWorkspace();
        var leads = Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToList();
        var day = new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);
        const string Mail = """{"email_id":"news-7","email_subject":"News","link_url":"https://example.com"}""";
        for (var index = 0; index < leads.Count; index++)
        {
            await workspace.Publish(workspace.Captured(leads[index], $"n{index}@example.com", day.AddDays(-20)));
            await workspace.Publish(workspace.Did(leads[index], "TRACK", "Email Sent", day, Mail));
        }

        // Four sent, three delivered, one bounced; two opened, one of them twice and clicked; one machine.
        var activity = Guid.CreateVersion7();
        await workspace.Publish(workspace.Did(leads[0], "TRACK", "Email Link Clicked", day.AddMinutes(9), Mail));
        await workspace.Publish(workspace.Did(leads[0], "TRACK", "Email Opened", day.AddMinutes(5), Mail, activity));
        await workspace.Publish(workspace.Did(leads[0], "TRACK", "Email Opened", day.AddMinutes(5), Mail, activity));
        await workspace.Publish(workspace.Did(leads[0], "TRACK", "Email Opened", day.AddMinutes(7), Mail));
        await workspace.Publish(workspace.Did(leads[0], "TRACK", "Email Delivered", day.AddMinutes(1), Mail));
        await workspace.Publish(workspace.Did(leads[1], "TRACK", "Email Opened", day.AddMinutes(8), Mail));
        await workspace.Publish(workspace.Did(leads[2], "TRACK", "Email Delivered", day.AddMinutes(1), Mail));
        await workspace.Publish(
            workspace.Did(leads[2], "TRACK", "Email Link Clicked", day.AddMinutes(1), """{"email_id":"news-7","userAgent":"curl/8.5"}"""));
        await workspace.Publish(workspace.Did(leads[3], "TRACK", "Email Bounced", day.AddMinutes(1), Mail));

        await fixture.Bus.Until<EmailSent>(4, e => leads.Contains(e.LeadId));
        var engaged = await fixture.Bus.Until<EmailEngaged>(6, e => leads.Contains(e.LeadId));
        Assert.Equal(3, engaged.Count(e => e is { Unique: true, Kind: "OPEN" or "CLICK" }));
        Assert.Equal("BOT", engaged.Single(e => e.LeadId == leads[2]).Classification);
        Assert.Equal([4d], await workspace.Metric("emails_sent", "2026-03-01", "2026-04-01"));
        Assert.Equal([3d], await workspace.Metric("emails_delivered", "2026-03-01", "2026-04-01"));
        Assert.Equal([2d / 3], await workspace.Metric("open_rate", "2026-03-01", "2026-04-01"));
        Assert.Equal([1d / 3], await workspace.Metric("click_rate", "2026-03-01", "2026-04-01"));
        Assert.Equal([0.5], await workspace.Metric("click_to_open_rate", "2026-03-01", "2026-04-01"));
        Assert.Equal([0.25], await workspace.Metric("bounce_rate", "2026-03-01", "2026-04-01"));
        Assert.True((await workspace.LeadEmails(leads[0]))[0]!["external"]!.GetValue<bool>());
    }

    [Fact]
    public async Task AnotherWorkspacesIds_AreNotFound()
    {
        var (mine, other) = (await fixture.NewWorkspace(), await fixture.NewWorkspace());
        var (email, program) = (await other.NewEmail(), await other.NewWelcome());
        var segment = (await other.Post("/v1/segments", """{"displayName":"S","condition":"true"}"""))["id"]!.GetValue<string>();
        var suppression = (await other.Post("/v1/suppressions", """{"email":"x@example.com"}"""))["id"]!.GetValue<string>();
        var lead = Guid.CreateVersion7();
        await other.Publish(other.Captured(lead, $"t{lead:N}@example.com"));
        await fixture.Bus.Until<EmailSent>(1, e => e.LeadId == lead);

        foreach (var path in new[]
        {
            $"emails/{email}", $"programs/{program}", $"programs/{program}/report",
            $"programs/{program}/enrollments", $"segments/{segment}",
            $"segments/{segment}/members", $"suppressions/{suppression}", $"leads/{lead}/emails",
        })
        {
            await mine.Call(HttpMethod.Get, $"/v1/{path}", null, HttpStatusCode.NotFound);
        }

        await mine.Post($"/v1/programs/{program}:start", "{}", HttpStatusCode.NotFound);
        await mine.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{lead}}"}""", HttpStatusCode.NotFound);
        await mine.Post($"/v1/emails/{email}:preview", "{}", HttpStatusCode.NotFound);
        await mine.Call(HttpMethod.Delete, $"/v1/suppressions/{suppression}", null, HttpStatusCode.NotFound);
        var faults = (await mine.Post(
            "/v1/programs",
            $$$"""{"displayName":"P","entryTriggers":[{"segmentEntered":{"segmentId":"{{{segment}}}"}}],"steps":[{"sendEmail":{"emailId":"{{{email}}}"}}]}""",
            HttpStatusCode.BadRequest))["errors"]!.AsArray();
        Assert.Equal(
            ["steps[0].sendEmail.emailId", "entryTriggers[0].segmentEntered.segmentId"],
            faults.Select(fault => fault!["field"]!.GetValue<string>()));
        Assert.Empty((await mine.Get("/v1/emails"))["emails"]!.AsArray());
        Assert.DoesNotContain(lead.ToString(), (await Export(mine, lead)).ToString(), StringComparison.Ordinal);
    }

    private async Task<Google.Protobuf.WellKnownTypes.Struct> Export(TestWorkspace workspace, Guid lead)
    {
        using var channel = GrpcChannel.ForAddress(fixture.Service.Grpc);
        var answer = await new PersonDataService.PersonDataServiceClient(channel).ExportPersonAsync(
            new ExportPersonRequest { LeadId = lead.ToString() },
            new Metadata { { "x-lifecycle-identity", IdentityTokens.Issue(workspace.Id) } });
        return answer.Data;
    }

    /// <summary>Every tenant row of the workspace as text, answers kept for repeated requests and events under way aside.</summary>
    private async Task<string> Dump(Guid workspace)
    {
        var tables = await fixture.Database.Query(
            """
            select table_name from information_schema.columns
            where table_schema = 'nurture' and column_name = 'workspace_id' and table_name not in ('idempotency', 'outbox')
            """);
        var text = new List<string>();
        foreach (var table in tables)
        {
            var rows = await fixture.Database.Query($"select to_jsonb(t)::text from {table[0]} t where workspace_id = $1", workspace);
            text.AddRange(rows.Select(row => (string)row[0]!));
        }

        return string.Join('\n', text);
    }
}
