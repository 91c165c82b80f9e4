using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lifecycle.Benchmarks;

/// <summary>
/// Mails of a program that stand in the queue, handed to a mail server on the same machine that only counts them: filled with the lead's
/// values, tracked, claimed, sent and marked, with their events. The first warm up. The limit is a bare client that hands mails of the
/// same size to the same server over as many connections.
/// </summary>
internal sealed class NurtureSends : Benchmark
{
    private const int Connections = 8;

    public override string Name => "nurture-sends";

    public override string Summary => "mails handed to a local mail server per second";

    public override async Task Run(BenchmarkRun run)
    {
        await using var sink = new CountingSmtpSink();
        await using var suite = await BenchmarkSuite.Start("nurture", new Dictionary<string, string>
        {
            ["ConnectionStrings__mail"] = $"smtp://127.0.0.1:{sink.Port}",
            ["Nurture__SmtpConnections"] = $"{Connections}",
        });
        var (mails, database) = (run.Scaled(100_000), suite.Database("nurture"));
        run.Say($"making {mails} leads and mails");
        await NurtureLeads.Fill(suite, mails);
        await suite.Process("Nurture").Stop();
        await Queue(suite);
        sink.Reset(NurtureDueSteps.WarmUp(mails));
        run.Say("sending them");
        await suite.Process("Nurture").Start();
        await NurtureDueSteps.Until(() => Task.FromResult(sink.Count >= sink.WarmUp));
        var (times, sent) = (await ProcessorTimes.Begin(suite, database), (int)sink.Count);
        await NurtureDueSteps.Until(() => Task.FromResult(sink.Count >= mails));
        await NurtureDueSteps.Until(() => database.Scalar<bool>(
            "select not exists (select 1 from message where workspace_id = $1 and state in ('PENDING', 'SENDING'))", suite.WorkspaceId));
        var processor = times.Seconds();
        var (rate, size, taken) = (sink.Rate, (int)(sink.Bytes / sink.Count), sink.Count);
        var memory = BenchmarkSuite.PeakMegabytes(suite.Process("Nurture"));
        if (taken != mails || await database.Scalar<long>("select count(*) from message where state = 'SENT'") != mails)
        {
            throw new InvalidOperationException($"{taken} mails were taken of {mails}.");
        }

        sink.Reset(0);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => HandOver(sink.Port, mails / Connections, size)));
        run.AtLeast("mails handed over per second, of what a bare client does", rate, "/s", sink.Rate, 0.05);
        run.AtLeast("mails handed over per second", rate, "/s", 1_000);
        run.AtMost("peak memory of Nurture", memory, "MB", 400);
        run.Tell("size of a mail", size, "bytes");
        ProcessorTimes.Tell(run, processor, mails - sent, "mail");
    }

    private static async Task Queue(BenchmarkSuite suite)
    {
        var (database, email, program) = (suite.Database("nurture"), Guid.CreateVersion7(), Guid.CreateVersion7());
        await database.Query(
            """
            insert into email (workspace_id, id, display_name, subject, html, text, from_name, from_address, reply_to, version, create_time, update_time)
            values ($1, $2, 'Guide', 'A guide for {{company.name}}', $3, '', '', '', '', 1, now(), now())
            """,
            suite.WorkspaceId, email,
            "<p>Hello {{lead.email}},</p>"
                + string.Concat(Enumerable.Repeat("<p>Some lines of a guide that people like to read at breakfast.</p>", 20))
                + "<p><a href=\"https://acme.example/guide\">The guide</a> <a href=\"https://acme.example/prices\">Prices</a></p>");
        await database.Query(
            """
            insert into message (workspace_id, id, lead_id, program_id, step_id, email_id, state, due_time, attempts, create_time, version)
            select $1, gen_random_uuid(), lead_id, $2, 'guide', $3, 'PENDING', now(), 0, now(), 0 from lead
            """,
            suite.WorkspaceId, program, email);
        await database.Query("vacuum analyze message");
    }

    private static async Task HandOver(int port, int mails, int size)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port);
        var (stream, answer) = (client.GetStream(), new byte[256]);
        var content = Encoding.ASCII.GetBytes(new string('x', Math.Max(size - 5, 1)) + "\r\n.\r\n");
        _ = await stream.ReadAsync(answer);
        for (var mail = 0; mail < mails; mail++)
        {
            foreach (var command in new[]
            {
                "MAIL FROM:<hello@acme.example>\r\n"u8.ToArray(), "RCPT TO:<ada@acme.example>\r\n"u8.ToArray(),
                "DATA\r\n"u8.ToArray(), content
            })
            {
                await stream.WriteAsync(command);
                _ = await stream.ReadAsync(answer);
            }
        }
    }
}
