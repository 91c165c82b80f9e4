using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lifecycle.Testing;
using Nurture.UnitTests;

namespace Nurture.IntegrationTests;

public sealed class MailSettingsTests(NurtureFixture fixture)
{
    [Fact]
    public async Task Settings_RelayWithStarttlsAndDkim_SendsSignedMailOverOneConnection()
    {
        var workspace = await fixture.NewWorkspace();
        await using var relay = new TlsSmtpServer();
        await Put(workspace, new
        {
            fromName = "Team",
            fromAddress = "team@news.example.com",
            replyTo = "answers@example.com",
            bounceAddress = "bounces@example.com",
            relay = Relay(relay, "STARTTLS"),
        });
        Assert.Equal($"localhost:{relay.Port}", (await workspace.Post("/v1/mailSettings:test"))["server"]!.GetValue<string>());
        var key = await workspace.Post("/v1/dkimKeys", """{"domain":"Example.com"}""");
        Assert.False(key["active"]!.GetValue<bool>());
        Assert.EndsWith("._domainkey.example.com", key["dnsName"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True((await workspace.Post($"/v1/dkimKeys/{key["id"]}:activate"))["active"]!.GetValue<bool>());
        var program = await workspace.NewProgram($$$"""
            {"displayName":"Welcome","entryTriggers":[{"manual":{}}],
             "steps":[{"id":"hello","sendEmail":{"emailId":"{{{await workspace.NewEmail()}}}"}}]}
            """);
        var leads = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var lead in leads)
        {
            await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.org"));
        }

        await Eventually.Equal(
            5L,
            () => fixture.Database.Scalar<long>("select count(*) from lead where workspace_id = $1 and profile_version > 0", workspace.Id),
            "the leads");
        // Mails that are due together, whenever each lead came.
        await workspace.Post($"/v1/programs/{program}/enrollments:batchCreate", JsonSerializer.Serialize(new { leadIds = leads }));

        foreach (var lead in leads)
        {
            var mail = await relay.MailTo($"{lead:N}@example.org");
            Assert.Equal("bounces@example.com", mail.From);
            Assert.Equal("\"Team\" <team@news.example.com>", mail.Header("From"));
            Assert.Equal("<answers@example.com>", mail.Header("Reply-To"));
            Assert.Null(DkimCheck.Fault(mail.Text, key["dnsRecord"]!.GetValue<string>()));
        }

        // One for the test, at most four for the mails.
        Assert.InRange(relay.Connections, 2, 5);
        Assert.DoesNotContain(
            relay.InClear, line => line.StartsWith("AUTH", StringComparison.Ordinal) || line.StartsWith("MAIL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Settings_RelayWithImplicitTls_TakesATestMail()
    {
        var workspace = await fixture.NewWorkspace();
        await using var relay = new TlsSmtpServer(isImplicit: true);
        await Put(workspace, new { relay = Relay(relay, "IMPLICIT") });

        await workspace.Post($"/v1/emails/{await workspace.NewEmail()}:sendTest", """{"to":"author@example.org"}""");

        Assert.Equal("[Test] Welcome, Ada", (await relay.MailTo("author@example.org")).Subject);
        Assert.Empty(relay.InClear);
    }

    [Fact]
    public async Task Settings_RelayThatIsNotTrustedOrRefusesTheUser_SaysWhyAndGetsNoMail()
    {
        var workspace = await fixture.NewWorkspace();
        await using var relay = new TlsSmtpServer();
        await Put(workspace, new
        {
            relay = new { host = "localhost", port = relay.Port, userName = TlsSmtpServer.User, password = TlsSmtpServer.Password }
        });
        var untrusted = await workspace.Post("/v1/mailSettings:test", "{}", HttpStatusCode.ServiceUnavailable);
        Assert.Contains("certificate", untrusted["detail"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase);

        await Put(workspace, new { relay = Relay(relay, "STARTTLS", "wrong") });
        var refused = await workspace.Post("/v1/mailSettings:test", "{}", HttpStatusCode.ServiceUnavailable);
        Assert.Contains("535 5.7.8", refused["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Empty(relay.Mails);
    }

    [Fact]
    public async Task Settings_Password_IsNeverAnsweredAndStaysWithItsServer()
    {
        var workspace = await fixture.NewWorkspace();
        var settings = await Put(workspace, new { relay = new { host = "mail.example.com", userName = "u", password = "a secret" } });
        Assert.True(settings["relay"]!["hasPassword"]!.GetValue<bool>());
        Assert.Equal(587, settings["relay"]!["port"]!.GetValue<int>());
        Assert.DoesNotContain("a secret", settings.ToJsonString(), StringComparison.Ordinal);
        var kept = (await fixture.Database.Query("select relay_password from mail_settings where workspace_id = $1", workspace.Id))[0][0];
        Assert.StartsWith("v1:", (string)kept!, StringComparison.Ordinal);

        settings = await Put(workspace, new { fromName = "x", relay = new { host = "mail.example.com", userName = "u" } });
        Assert.True(settings["relay"]!["hasPassword"]!.GetValue<bool>());
        settings = await Put(workspace, new { relay = new { host = "evil.example.com", userName = "u" } });
        Assert.False(settings["relay"]!["hasPassword"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Settings_WithManyFaults_NamesThemAll()
    {
        var workspace = await fixture.NewWorkspace();

        var problem = await workspace.Call(
            HttpMethod.Put,
            "/v1/mailSettings",
            """
            {"settings":{"fromAddress":"x","perMinute":-1,"relay":{"host":"a b","tlsMode":"NONE","userName":"u","trustedCertificate":"no"},
             "domainLimits":[{"domain":"example.com","perMinute":0},{"domain":"EXAMPLE.com","perMinute":5}]}}
            """,
            HttpStatusCode.BadRequest);

        Assert.Equal(
            [
                "settings.domainLimits", "settings.domainLimits[0].perMinute", "settings.fromAddress",
                "settings.perMinute", "settings.relay.host", "settings.relay.tlsMode", "settings.relay.trustedCertificate",
            ],
            problem["errors"]!.AsArray().Select(error => error!["field"]!.GetValue<string>()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Pace_OfADomain_GivesEachMailItsTurnAndLeavesOtherDomainsAlone()
    {
        var workspace = await fixture.NewWorkspace();
        await Put(workspace, new { domainLimits = new[] { new { domain = "slow.example.org", perMinute = 1 } } });
        var welcome = await workspace.NewWelcome();
        var (slow, quick) = (Enumerable.Range(0, 4).Select(_ => Guid.CreateVersion7()).ToArray(), Guid.CreateVersion7());

        foreach (var lead in slow)
        {
            await workspace.Publish(workspace.Captured(lead, $"{lead:N}@slow.example.org"));
        }

        await workspace.Publish(workspace.Captured(quick, $"{quick:N}@quick.example.org"));
        await Eventually.True(
            () => Task.FromResult(fixture.Mails.To($"{quick:N}@quick.example.org").Count == 1), "the mail to the other domain");
        await Eventually.Equal(
            3L, () => Count(workspace, "state = 'PENDING' and detail = 'WAITS_FOR_PACE' and due_time = slot_time"),
            "mails that wait for their turn");
        await Eventually.Equal(
            1L, () => Count(workspace, "state = 'SENT' and to_address like '%@slow.example.org'"), "the mail whose turn is first");
        var turns = (await fixture.Database.Query(
            "select slot_time from message where workspace_id = $1 and slot_time is not null order by slot_time", workspace.Id))
            .Select(row => (DateTime)row[0]!).ToArray();
        Assert.All(turns.Zip(turns.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, TimeSpan.FromMinutes(1), TimeSpan.MaxValue));

        // Without the limit, nobody waits any longer.
        await Put(workspace, new { fromName = "Team" });
        await Eventually.Equal(5L, () => Count(workspace, "state = 'SENT'"), "all mails");
        Assert.NotEmpty(welcome);
    }

    [Fact]
    public async Task Lint_Template_CountsLeadsWithoutItsFields()
    {
        var workspace = await fixture.NewWorkspace();
        var leads = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        foreach (var lead in leads)
        {
            await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.org", employees: lead == leads[0] ? null : 20));
        }

        await Eventually.Equal(
            3L,
            async () => (long)(await fixture.Database.Query(
                "select count(*) from lead where workspace_id = $1 and email is not null", workspace.Id))[0][0]!,
            "the leads");
        var email = (await workspace.Post("/v1/emails", JsonSerializer.Serialize(new
        {
            displayName = "Lint",
            subject = "Hi {{firstName}}",
            html =
                "<p>{{lead.firstName}} of {{company.employees}}, {{lead.plan}}{{#if lead.seat}}{{lead.seat}}{{/if}}</p><a href=\"/x\">x</a>",
        })))["id"]!.GetValue<string>();

        var lint = await workspace.Post($"/v1/emails/{email}:lint");

        Assert.Equal(3, lint["leadsCounted"]!.GetValue<int>());
        Assert.Equal(
            [
                "ERROR UNKNOWN_FIELD firstName 0", "ERROR MISSING_FIELD lead.plan 3", "ERROR RELATIVE_LINK  0",
                "WARNING MISSING_FIELD company.employees 1", "NOTE NO_UNSUBSCRIBE_LINK  0", "NOTE NO_PLAIN_TEXT  0",
            ],
            lint["findings"]!.AsArray().Select(found => $"{found!["severity"]} {found["code"]} {found["field"]} {found["leadsWithout"]}"));
    }

    [Fact]
    public async Task CreateEmail_TemplateThatCallsItself_IsRefused()
    {
        var workspace = await fixture.NewWorkspace();

        var problem = await workspace.Post(
            "/v1/emails", """{"displayName":"x","subject":"x","html":"{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}"}""",
            HttpStatusCode.BadRequest);

        Assert.Equal("html", problem["errors"]![0]!["field"]!.GetValue<string>());
    }

    private static object Relay(TlsSmtpServer relay, string mode, string password = TlsSmtpServer.Password) => new
    {
        host = "localhost",
        port = relay.Port,
        tlsMode = mode,
        userName = TlsSmtpServer.User,
        password,
        trustedCertificate = relay.Certificate,
    };

    private static Task<JsonObject> Put(TestWorkspace workspace, object settings) =>
        workspace.Call(HttpMethod.Put, "/v1/mailSettings", JsonSerializer.Serialize(new { settings }));

    private async Task<long> Count(TestWorkspace workspace, string where) =>
        (long)(await fixture.Database.Query($"select count(*) from message where workspace_id = $1 and {where}", workspace.Id))[0][0]!;
}
