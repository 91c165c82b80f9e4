using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

public sealed class MailFeedbackTests(NurtureFixture fixture)
{
    [Fact]
    public async Task ReceiveMailReport_HardBounceTwice_MarksTheMailOnceAndSuppresses()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var (lead, address, messageId) = await Mailed(workspace);

        var first = await Receive(workspace, Dsn(messageId, "other@example.org", "5.1.1"));
        var second = await Receive(workspace, Dsn(messageId, "other@example.org", "5.1.1"));

        Assert.Equal("BOUNCE", first["kind"]!.GetValue<string>());
        var result = Assert.Single(first["results"]!.AsArray())!;
        // Forwarded or not, the address that was mailed is the one that no longer is.
        Assert.Equal(address, result["email"]!.GetValue<string>());
        Assert.True(result["applied"]!.GetValue<bool>());
        Assert.False(second["results"]![0]!["applied"]!.GetValue<bool>());
        Assert.Equal("BOUNCED", await ReasonOf(workspace, address));
        var mail = Assert.Single(await workspace.LeadEmails(lead))!;
        Assert.Equal("BOUNCED", mail["state"]!.GetValue<string>());
        Assert.Equal(["BOUNCE HARD 5.1.1"], mail["engagements"]!.AsArray().Select(one => $"{one!["kind"]} {one["reason"]}"));
        await Eventually.Equal(
            1,
            () => Task.FromResult(fixture.Bus.Of<EmailEngaged>().Count(e => e.LeadId == lead && e.Kind == "BOUNCE")),
            "the bounce, told once");
        Assert.Equal([1.0], await workspace.MetricToday("bounce_rate", "&granularity=DAY"));
    }

    [Fact]
    public async Task ReportMailFeedback_SoftBounces_SuppressAtTheLimit()
    {
        var workspace = await fixture.NewWorkspace();
        await workspace.Call(HttpMethod.Put, "/v1/mailSettings", """{"settings":{"softBounceLimit":2}}""");
        var lead = Guid.CreateVersion7();
        var address = $"{lead:N}@example.org";
        await workspace.NewWelcome();
        await workspace.NewWelcome();
        await workspace.Publish(workspace.Captured(lead, address));
        await Eventually.Equal(2, () => Task.FromResult(fixture.Mails.To(address).Count), "two mails");
        await Eventually.True(
            async () => (await workspace.LeadEmails(lead)).All(mail => mail!["state"]!.GetValue<string>() == "SENT"),
            "both marked as sent");
        var ids = fixture.Mails.To(address).Select(mail => mail.MessageId).ToArray();

        var first = await Report(workspace, new { kind = "SOFT_BOUNCE", messageId = ids[0], status = "4.2.2", detail = "mailbox full" });
        var again = await Report(workspace, new { kind = "SOFT_BOUNCE", messageId = $"<{ids[0]}>", status = "4.2.2" });
        Assert.False(first["suppressed"]!.GetValue<bool>());
        Assert.False(again["suppressed"]!.GetValue<bool>());
        Assert.Null(await ReasonOf(workspace, address));

        var second = await Report(workspace, new { kind = "SOFT_BOUNCE", messageId = ids[1], status = "4.2.2" });
        Assert.True(second["suppressed"]!.GetValue<bool>());
        Assert.Equal("BOUNCED", await ReasonOf(workspace, address));
    }

    [Fact]
    public async Task ReportMailFeedback_Complaint_SuppressesAndAnotherWorkspacesMailIsLeftAlone()
    {
        var (workspace, stranger) = (await fixture.NewWorkspace(), await fixture.NewWorkspace());
        var (lead, address, messageId) = await Mailed(workspace);

        var foreign = await Report(stranger, new { kind = "COMPLAINT", messageId });
        Assert.False(foreign["applied"]!.GetValue<bool>());
        Assert.Equal("", foreign["leadEmailId"]!.GetValue<string>());
        Assert.Equal("SENT", Assert.Single(await workspace.LeadEmails(lead))!["state"]!.GetValue<string>());

        Assert.True((await Report(workspace, new { kind = "COMPLAINT", messageId }))["applied"]!.GetValue<bool>());
        Assert.Equal("COMPLAINED", await ReasonOf(workspace, address));
        Assert.Equal("SENT", Assert.Single(await workspace.LeadEmails(lead))!["state"]!.GetValue<string>());
    }

    [Fact]
    public async Task ReceiveMailReport_PersonsAnswerTwice_IsOneReplyAndSuppressesNobody()
    {
        var workspace = await fixture.NewWorkspace();
        var (lead, address, messageId) = await Mailed(workspace);
        var answer = $"From: {address}\r\nIn-Reply-To: <{messageId}>\r\n\r\nPlease call me.";

        Assert.Equal("REPLY", (await Receive(workspace, answer))["kind"]!.GetValue<string>());
        Assert.False((await Receive(workspace, answer))["results"]![0]!["applied"]!.GetValue<bool>());
        Assert.Null(await ReasonOf(workspace, address));
        var mail = Assert.Single(await workspace.LeadEmails(lead))!;
        Assert.Equal("SENT", mail["state"]!.GetValue<string>());
        Assert.Equal(["REPLY ANSWERED"], mail["engagements"]!.AsArray().Select(one => $"{one!["kind"]} {one["reason"]}"));
    }

    [Fact]
    public async Task EmailRequested_Twice_IsOneMailWithItsValues()
    {
        var workspace = await fixture.NewWorkspace();
        var (lead, request) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var address = $"{lead:N}@example.org";
        var wanted = new EmailRequested(
            Guid.CreateVersion7(), workspace.Id, TestWorkspace.Now, 1, request, lead, null, "{{survey.question}}",
            "<p>{{lead.firstName}}: <a href=\"{{survey.url}}\">{{survey.question}}</a></p>",
            new Dictionary<string, string>
            {
                ["survey.url"] = "https://example.com/s/x",
                ["survey.question"] = "Would you <recommend> us?"
            });

        // The request may come before the lead, and more than once.
        var again = wanted with { EventId = Guid.CreateVersion7() };
        await workspace.Publish(wanted);
        await workspace.Publish(again);
        await workspace.Publish(workspace.Captured(lead, address));
        await Eventually.True(
            async () => (await workspace.LeadEmails(lead)).Any(mail => mail!["state"]!.GetValue<string>() == "SENT"),
            "the mail, marked as sent");
        await Eventually.Equal(
            2L,
            async () => (long)(await fixture.Database.Query(
                "select count(*) from inbox where message_id = $1 or message_id = $2", wanted.EventId, again.EventId))[0][0]!,
            "both requests handled");

        var mail = Assert.Single(fixture.Mails.To(address));
        Assert.Equal("Would you <recommend> us?", mail.Subject);
        Assert.Contains("Ada: <a href=\"http://localhost:8080/e/c/", mail.Html, StringComparison.Ordinal);
        Assert.Contains("Would you &lt;recommend&gt; us?", mail.Html, StringComparison.Ordinal);
        Assert.Single(await workspace.LeadEmails(lead));
    }

    [Fact]
    public async Task ReceiveMailReport_OtherMailOrType_ChangesNothing()
    {
        var workspace = await fixture.NewWorkspace();

        Assert.Equal("OTHER", (await Receive(workspace, "Subject: Out of office\r\n\r\nBack on Monday."))["kind"]!.GetValue<string>());
        await workspace.Post("/v1/mailFeedback:receive", "{}", HttpStatusCode.UnsupportedMediaType);
        var problem = await workspace.Post(
            "/v1/mailFeedback", """{"events":[{"kind":"HARD_BOUNCE"},{"email":"x"}]}""", HttpStatusCode.BadRequest);
        Assert.Equal(
            ["events[0].messageId", "events[1].kind", "events[1].email"],
            problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Suppressions_ImportAndExport_RoundTrip()
    {
        var workspace = await fixture.NewWorkspace();
        const string File =
            "email,reason\r\nAda@Example.org,COMPLAINED\r\nbob@example.org,\r\nbob@example.org,BOUNCED\r\nnobody,\r\ncy@example.org,BORED\r\n";

        var tried = await Import(workspace, File, "?dryRun=true");
        Assert.Equal(2, tried["created"]!.GetValue<int>());
        Assert.Null(await ReasonOf(workspace, "ada@example.org"));
        var made = await Import(workspace, File);
        Assert.Equal(
            (2, 1, 2), (made["created"]!.GetValue<int>(), made["unchanged"]!.GetValue<int>(), made["rejectedCount"]!.GetValue<int>()));
        Assert.Equal([5, 6], made["rejected"]!.AsArray().Select(row => row!["line"]!.GetValue<int>()));
        Assert.Equal("COMPLAINED", await ReasonOf(workspace, "ada@example.org"));
        Assert.Equal("MANUAL", await ReasonOf(workspace, "bob@example.org"));

        var export = await Export(workspace);
        Assert.StartsWith("id,email,reason,createTime\r\n", export, StringComparison.Ordinal);
        var other = await fixture.NewWorkspace();
        Assert.Equal(2, (await Import(other, export))["created"]!.GetValue<int>());
        Assert.Equal("COMPLAINED", await ReasonOf(other, "ada@example.org"));
        Assert.Equal(2, (await Import(other, export))["unchanged"]!.GetValue<int>());
    }

    private async Task<(Guid Lead, string Address, string MessageId)> Mailed(TestWorkspace workspace)
    {
        var lead = Guid.CreateVersion7();
        var address = $"{lead:N}@example.org";
        await workspace.NewWelcome();
        await workspace.Publish(workspace.Captured(lead, address));
        await Eventually.True(
            async () => (await workspace.LeadEmails(lead)).Any(mail => mail!["state"]!.GetValue<string>() == "SENT"),
            "the mail, marked as sent");
        return (lead, address, fixture.Mails.To(address).Single().MessageId);
    }

    private static async Task<string?> ReasonOf(TestWorkspace workspace, string email) =>
        (await workspace.Get($"/v1/suppressions?filter={Uri.EscapeDataString($"email = \"{email}\"")}"))["suppressions"]!.AsArray()
            .SingleOrDefault()?["reason"]!.GetValue<string>();

    private static async Task<JsonNode> Report(TestWorkspace workspace, object told) =>
        (await workspace.Post("/v1/mailFeedback", JsonSerializer.Serialize(new { events = new[] { told } })))["results"]![0]!;

    private Task<JsonObject> Receive(TestWorkspace workspace, string mail) =>
        Upload(workspace, "/v1/mailFeedback:receive", "message/rfc822", mail);

    private Task<JsonObject> Import(TestWorkspace workspace, string csv, string query = "") =>
        Upload(workspace, "/v1/suppressions:import" + query, "text/csv", csv);

    private async Task<JsonObject> Upload(TestWorkspace workspace, string path, string type, string body)
    {
        using var request = Request(workspace, HttpMethod.Post, path);
        request.Content = new StringContent(body, Encoding.UTF8);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return JsonNode.Parse(await Answer(request))!.AsObject();
    }

    private async Task<string> Export(TestWorkspace workspace)
    {
        using var request = Request(workspace, HttpMethod.Get, "/v1/suppressions?pageSize=1000");
        request.Headers.Accept.ParseAdd("text/csv");
        return await Answer(request);
    }

    private HttpRequestMessage Request(
        TestWorkspace workspace, HttpMethod method, string path) => new(method, new Uri(fixture.Service.Grpc, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { { "x-lifecycle-identity", IdentityTokens.Issue(workspace.Id, "UTC", "USD", "admin") } },
        };

    private static async Task<string> Answer(HttpRequestMessage request)
    {
        using var client = new HttpClient();
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{request.RequestUri} answered {(int)response.StatusCode}: {text}");
        return text;
    }

    private static string Dsn(string messageId, string recipient, string status) =>
        $"""
        Content-Type: multipart/report; report-type=delivery-status; boundary=b

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.net

        Final-Recipient: rfc822; {recipient}
        Action: failed
        Status: {status}

        --b
        Content-Type: message/rfc822

        Message-ID: <{messageId}>

        --b--
        """.ReplaceLineEndings("\r\n");
}
