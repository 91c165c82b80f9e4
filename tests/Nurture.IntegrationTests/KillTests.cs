using System.Diagnostics;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Storage;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>
/// Two replicas that are killed again and again lose no enrollment and double no mail, but for the one moment that nobody can close.
/// </summary>
public sealed class KillTests
{
    private const int Connections = 4;

    /// <summary>Kills, and mails in all, two a lead; the full proof is 100 and 20,000.</summary>
    private static readonly (int Kills, int Leads) Size = (Setting("LIFECYCLE_KILLS", 6), Setting("LIFECYCLE_KILL_MAILS", 1000) / 2);
    private static readonly int Kills = Size.Kills;
    private static readonly int Leads = Size.Leads;

    /// <summary>Starts of a process, on a machine that runs other tests too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4 + (Leads / 1000));

    /// <param name="isPipelining">Whether the mail server takes sender, recipient and DATA at once.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KilledReplicas_AnyNumberOfEnrollments_EachMailIsOneMessageId(bool isPipelining)
    {
        await using var database = await TestDatabase.Create<NurtureDbContext>("nurture");
        await using var broker = await TestVirtualHost.Create();
        await using var mails = new TestSmtpServer(isPipelining);
        var environment = NurtureFixture.Environment(database, broker, mails);
        // A mail that waits for longer is taken for lost, and copied: none shall be but by a kill. Few mails at a time wait for a lease.
        environment["Nurture__SmtpTimeoutSeconds"] = "15";
        environment["Nurture__SendLeaseSeconds"] = "25";
        environment["Nurture__SendBatchSize"] = "20";
        environment["Nurture__SmtpConnections"] = $"{Connections}";
        environment["Nurture__BatchSize"] = "20";
        await using var first = ServiceProcess.Create("Nurture", environment);
        await using var second = ServiceProcess.Create("Nurture", environment);
        // Once one replica is ready, its queues are bound and no event is lost.
        await first.Start();
        await second.Start(untilReady: false);
        await using var bus = await TestBus.Start(broker, typeof(EmailSent));
        var clock = Stopwatch.StartNew();
        var workspace = Guid.CreateVersion7();
        await Prepare(database, workspace);

        var publishing = PublishLeads(bus, workspace);
        var kills = new List<long>();
        for (var kill = 1; kill <= Kills; kill++)
        {
            var victim = kill % 2 == 0 ? first : second;
            var goal = kill * (2 * Leads / (Kills + 1));
            await Eventually.True(() => Task.FromResult(mails.Mails.Count >= goal), $"{goal} mails", Patience);
            await victim.Kill();
            kills.Add(Stopwatch.GetTimestamp());
            await victim.Start(untilReady: false);
        }

        await publishing;
        await Eventually.Equal(
            2L * Leads, () => database.Scalar<long>("select count(*) from message where state = 'SENT'"), "every mail is marked", Patience);
        await Eventually.Equal(
            (long)Leads, () => database.Scalar<long>("select count(*) from enrollment where state = 'COMPLETED'"),
            "every path ends", Patience);
        var ids = mails.Mails.GroupBy(mail => mail.MessageId).ToList();
        var caught = ids.SelectMany(copies => copies.Zip(copies.Skip(1)))
            .Count(pair => kills.Any(kill => pair.First.Timestamp < kill && kill < pair.Second.Timestamp));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{mails.Mails.Count} mails taken by the server, {Kills} kills, {ids.Count} Message-IDs of {2 * Leads}, "
            + $"{mails.Mails.Count - ids.Count} copies with the Message-ID of another, {caught} of them on the other side of a kill, "
            + $"{clock.Elapsed.TotalSeconds:0} s");
        Assert.Equal(2 * Leads, ids.Count);
        Assert.All(
            mails.Mails.GroupBy(mail => mail.To),
            received => Assert.Equal(["One", "Two"], received.DistinctBy(mail => mail.MessageId).Select(mail => mail.Subject).Order()));
        Assert.All(ids, copies => Assert.Single(copies.Select(copy => (copy.To, copy.Subject)).Distinct()));
        // Each kill can catch at most one mail per connection between the server's acceptance and the commit.
        Assert.InRange(mails.Mails.Count - ids.Count, 0, Kills * Connections);
        await Eventually.Equal(0L, () => database.Scalar<long>("select count(*) from outbox"), "every event is published", Patience);
        await Eventually.Equal(
            2 * Leads, () => Task.FromResult(bus.Of<EmailSent>().Select(e => e.EventId).Distinct().Count()),
            "every sending is told once", Patience);
        Assert.Equal(2 * Leads, bus.Of<EmailSent>().Select(e => e.EmailId).Distinct().Count());
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var value) && value > 1 ? value : otherwise;

    private static async Task Prepare(TestDatabase database, Guid workspace)
    {
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await database.Query(
            "insert into workspace (id, display_name, time_zone, currency_code, version) values ($1, 'Test', 'UTC', 'USD', 1)", workspace);
        foreach (var (id, subject) in new[] { (one, "One"), (two, "Two") })
        {
            await database.Query(
                """
                insert into email (workspace_id, id, display_name, subject, html, text, from_name, from_address, reply_to, version, create_time, update_time)
                values ($1, $2, $3, $3, '<p>Hi</p>', '', '', '', '', 1, now(), now())
                """,
                workspace, id, subject);
        }

        await database.Query(
            """
            insert into program (workspace_id, id, display_name, state, path, version, create_time, update_time)
            values ($1, $2, 'Two mails', 'ACTIVE', $3::jsonb, 1, now(), now())
            """,
            workspace,
            Guid.CreateVersion7(),
            $$"""
            {"EntryTriggers":[{"trigger":"LEAD_CAPTURED","CaptureTypes":[],"MaxAge":"3.00:00:00"}],"ExitOnStages":[],"GoalStage":null,"Reentry":"Never",
             "Steps":[{"action":"SEND_EMAIL","Id":"one","EmailId":"{{one}}"},{"action":"WAIT","Id":"wait","Duration":"00:00:01"},{"action":"SEND_EMAIL","Id":"two","EmailId":"{{two}}"}]}
            """);
    }

    private static async Task PublishLeads(TestBus bus, Guid workspace)
    {
        var touch = new TouchInfo("Direct", null, null, null, null, null, null, TestWorkspace.Now, null);
        for (var number = 0; number < Leads; number++)
        {
            var now = TestWorkspace.Now;
            var captured = new LeadCaptured(
                Guid.CreateVersion7(), workspace, now, 1, Guid.CreateVersion7(), $"lead{number}@example.com", null,
                "FORM", null, now, touch, touch, new Dictionary<string, string>(), null);
            await bus.Publish(captured);
            if (number % 10 == 0)
            {
                // The broker may deliver anything twice.
                await bus.Publish(captured);
            }
        }
    }
}
