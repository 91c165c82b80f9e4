using System.Net;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>A lead is welcomed by a mail, and what it does with the mail is told apart from what machines do.</summary>
public sealed class WelcomeTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Captured_Lead_GetsTheWelcomeMailAndItsClickIsRecorded()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var program = await workspace.NewWelcome();
        var (lead, address) = (Guid.CreateVersion7(), $"ada.{Guid.CreateVersion7():N}@example.com");

        await workspace.Publish(workspace.Captured(lead, address));

        var mail = await Received(address);
        var sent = (await fixture.Bus.Until<EmailSent>(1, e => e.LeadId == lead))[0];
        Assert.Equal("Welcome, Ada", mail.Subject);
        Assert.Equal($"{sent.EmailId}@lifecycle.example", mail.MessageId);
        Assert.Equal((Guid.Parse(program), "hello", "Welcome, Ada"), (sent.ProgramId, sent.StepId, sent.Subject));
        Assert.Matches("^<http://localhost:8080/e/u/[A-Za-z0-9_-]+>$", mail.Header("List-Unsubscribe"));
        Assert.Equal("List-Unsubscribe=One-Click", mail.Header("List-Unsubscribe-Post"));
        Assert.Contains("Hi Ada, the guide (http://localhost:8080/e/c/", mail.PlainText, StringComparison.Ordinal);

        using (var opened = await TestWorkspace.Visit(fixture, mail.Pixel))
        {
            Assert.Equal("image/gif", opened.Content.Headers.ContentType!.MediaType);
        }

        using (var clicked = await TestWorkspace.Visit(fixture, mail.Links[0]))
        {
            Assert.Equal(
                (HttpStatusCode.Redirect, "https://example.com/guide?a=1"), (clicked.StatusCode, clicked.Headers.Location!.ToString()));
        }

        var engaged = await fixture.Bus.Until<EmailEngaged>(2, e => e.LeadId == lead);
        Assert.Equal(["CLICK", "OPEN"], engaged.Select(e => e.Kind).Order());
        Assert.All(engaged, e => Assert.Equal(("HUMAN", true, sent.EmailId), (e.Classification, e.Unique, e.EmailId)));
        Assert.Equal("https://example.com/guide?a=1", engaged.Single(e => e.Kind == "CLICK").Url);
        Assert.Equal([2L, 3L], engaged.Select(e => e.Version).Order());
        var completed = (await fixture.Bus.Until<ProgramStepCompleted>(1, e => e.LeadId == lead))[0];
        Assert.Equal(("hello", "COMPLETED"), (completed.StepId, completed.Outcome));
        var byProgram = await workspace.Get(
            $"/v1/metrics/nurture?from={workspace.Day(0)}&to={workspace.Day(1)}&groupBy=program&metrics=new_leads,click_rate");
        Assert.Equal(
            ["new_leads Welcome 1", "click_rate Welcome 1"],
            byProgram["series"]!.AsArray()
                .Select(series => $"{series!["metric"]} {series["group"]!["program"]} {series["points"]![0]!["value"]}"));
        var report = await workspace.Get($"/v1/programs/{program}/report");
        Assert.Equal(
            ("1", "1", "1"),
            (
                report["entered"]!.GetValue<string>(),
                report["completed"]!.GetValue<string>(),
                report["steps"]![0]!["emailsClicked"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Machines_OnAMail_AreToldApartWithAReason()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        await workspace.NewWelcome();
        var (lead, address) = (Guid.CreateVersion7(), $"ada.{Guid.CreateVersion7():N}@example.com");
        await workspace.Publish(workspace.Captured(lead, address));
        var mail = await Received(address);
        var honeypot = mail.Links[^1];

        foreach (var (url, userAgent, method, client) in new[]
        {
            (mail.Links[0], "Mozilla/5.0 (compatible; Barracuda Sentinel)", HttpMethod.Get, "203.0.113.1"),
            (mail.Links[0], NurtureFixture.Browser, HttpMethod.Head, "203.0.113.2"),
            (honeypot, NurtureFixture.Browser, HttpMethod.Get, "203.0.113.3"),
            (mail.Links[0], NurtureFixture.Browser, HttpMethod.Get, "203.0.113.3"),
            (mail.Pixel, "Mozilla/5.0", HttpMethod.Get, "203.0.113.4"),
        })
        {
            using var _ = await TestWorkspace.Visit(fixture, url, userAgent, method, client);
        }

        var engaged = await fixture.Bus.Until<EmailEngaged>(5, e => e.LeadId == lead);
        Assert.DoesNotContain(engaged, e => e.Classification == "HUMAN" || e.Unique);
        var told = (await workspace.LeadEmails(lead))[0]!;
        Assert.Equal(
            (0, 4, 1), (told["humanClicks"]!.GetValue<int>(), told["botClicks"]!.GetValue<int>(), told["suspectOpens"]!.GetValue<int>()));
        var hits = told["engagements"]!.AsArray();
        Assert.Equal(
            ["BOT HONEYPOT", "BOT HONEYPOT", "BOT METHOD", "BOT USER_AGENT_SCANNER", "SUSPECT PRIVACY_PROXY"],
            hits.Select(hit => $"{hit!["classification"]} {hit["reason"]}").Order());
        Assert.Equal([0d], await workspace.MetricToday("click_rate"));
    }

    [Fact]
    public async Task Unsubscribing_TakesAPostAndHoldsBackEveryLaterMail()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        var program = await workspace.NewWelcome(",\"reentry\":\"AFTER_EXIT\"");
        var (lead, address) = (Guid.CreateVersion7(), $"ada.{Guid.CreateVersion7():N}@example.com");
        await workspace.Publish(workspace.Captured(lead, address));
        var url = (await Received(address)).Header("List-Unsubscribe").Trim('<', '>');

        using (var shown = await TestWorkspace.Visit(fixture, url))
        {
            Assert.Contains("<form method=\"post\">", await shown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Empty((await workspace.Get("/v1/suppressions"))["suppressions"]!.AsArray());
        for (var time = 0; time < 2; time++)
        {
            using var posted = await TestWorkspace.Visit(fixture, url, method: HttpMethod.Post);
            Assert.Equal(HttpStatusCode.OK, posted.StatusCode);
        }

        var suppression = (await workspace.Get("/v1/suppressions"))["suppressions"]!.AsArray();
        Assert.Equal(
            (address, "UNSUBSCRIBED"),
            (Assert.Single(suppression)!["email"]!.GetValue<string>(), suppression[0]!["reason"]!.GetValue<string>()));
        await fixture.Bus.Until<EmailEngaged>(1, e => e.LeadId == lead && e.Kind == "UNSUBSCRIBE");
        await Eventually.Equal(
            "COMPLETED",
            async () => (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]![0]!["state"]!.GetValue<string>(),
            "the first path ends");

        await workspace.Post($"/v1/programs/{program}/enrollments", $$"""{"leadId":"{{lead}}"}""");

        await Eventually.Equal(
            "SKIPPED SUPPRESSED",
            async () => (await workspace.LeadEmails(lead))[0] is { } mail ? $"{mail["state"]} {mail["detail"]}" : "",
            "the second mail is held back");
        Assert.Single(fixture.Mails.To(address));
        Assert.Equal([1d], await workspace.MetricToday("unsubscribe_rate"));
    }

    [Fact]
    public async Task MailServer_RefusesOrDefers_IsToldApart()
    {
        var workspace = await fixture.NewWorkspaceAtNoon();
        await workspace.NewWelcome();
        var (refused, later) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (refusedAddress, laterAddress) = ($"refused.{refused:N}@example.com", $"later.{later:N}@example.com");

        await workspace.Publish(workspace.Captured(refused, refusedAddress));
        await workspace.Publish(workspace.Captured(later, laterAddress));

        await Received(laterAddress);
        await fixture.Bus.Until<EmailSent>(1, e => e.LeadId == later);
        var bounce = (await fixture.Bus.Until<EmailEngaged>(1, e => e.LeadId == refused))[0];
        Assert.Equal(("BOUNCE", "HUMAN"), (bounce.Kind, bounce.Classification));
        Assert.DoesNotContain(fixture.Bus.Of<EmailSent>(), e => e.LeadId == refused);
        Assert.Equal("BOUNCED", (await workspace.Get("/v1/suppressions"))["suppressions"]![0]!["reason"]!.GetValue<string>());
        Assert.Equal([0.5], await workspace.MetricToday("bounce_rate"));
        Assert.Equal([2d], await workspace.MetricToday("emails_sent"));
        Assert.Equal([1d], await workspace.MetricToday("emails_delivered"));
    }

    [Theory]
    [InlineData("/e/c/nonsense", HttpStatusCode.NotFound)]
    [InlineData("/e/u/nonsense", HttpStatusCode.NotFound)]
    [InlineData("/e/o/nonsense", HttpStatusCode.OK)]
    public async Task Token_ThatIsNone_ChangesNothing(string path, HttpStatusCode expected)
    {
        using var response = await TestWorkspace.Visit(fixture, "http://localhost:8080" + path);

        Assert.Equal(expected, response.StatusCode);
    }

    private Task<ReceivedMail> Received(string address) =>
        Eventually.Passes(() => Task.FromResult(Assert.Single(fixture.Mails.To(address))), $"a mail to {address}");
}
