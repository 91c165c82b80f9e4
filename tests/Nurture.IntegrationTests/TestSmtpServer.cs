using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nurture.IntegrationTests;

/// <summary>A mail that the server took.</summary>
/// <param name="From">Envelope sender.</param>
/// <param name="To">Envelope recipient.</param>
/// <param name="Text">The mail, as it came.</param>
internal sealed record ReceivedMail(string From, string To, string Text)
{
    /// <summary>When it was taken, by <see cref="Stopwatch"/>.</summary>
    public long Timestamp { get; } = Stopwatch.GetTimestamp();

    public string MessageId => Header("Message-ID").Trim('<', '>');

    public string Subject => Header("Subject");

    public string Header(string name) =>
        Text.Split("\r\n\r\n", 2)[0].Replace("\r\n ", " ", StringComparison.Ordinal).Split("\r\n")
            .First(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))[(name.Length + 1)..].Trim();

    /// <summary>The HTML part, decoded.</summary>
    public string Html => Part("text/html");

    public string PlainText => Part("text/plain");

    /// <summary>Targets of the links in the HTML, in order.</summary>
    public IReadOnlyList<string> Links => [.. Html.Split("href=\"").Skip(1).Select(rest => WebUtility.HtmlDecode(rest.Split('"')[0]))];

    public string Pixel => WebUtility.HtmlDecode(Html.Split("<img src=\"")[1].Split('"')[0]);

    private string Part(string type)
    {
        var body = Text.Split($"Content-Type: {type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")[1]
            .Split("\r\n--=_")[0];
        var joined = body.Replace("=\r\n", "", StringComparison.Ordinal);
        return Encoding.UTF8.GetString([.. Bytes(joined)]);
    }

    private static IEnumerable<byte> Bytes(string text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '=')
            {
                yield return Convert.ToByte(text.Substring(index + 1, 2), 16);
                index += 2;
            }
            else
            {
                yield return (byte)text[index];
            }
        }
    }
}

/// <summary>
/// A mail server that keeps what it takes. Recipients that begin with <c>refused</c> are refused for good, those that begin with
/// <c>later</c> are put off the first two times.
/// </summary>
internal sealed class TestSmtpServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, int> attempts = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<ReceivedMail> mails = [];
    private readonly bool isPipelining;
    private readonly Task accepting;

    /// <param name="isPipelining">Whether it takes several commands at once (RFC 2920).</param>
    public TestSmtpServer(bool isPipelining = true)
    {
        this.isPipelining = isPipelining;
        listener.Start();
        accepting = Accept();
    }

    public string ConnectionString => $"smtp://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>Everything taken, in order.</summary>
    public IReadOnlyCollection<ReceivedMail> Mails => mails;

    public IReadOnlyList<ReceivedMail> To(string address) => [.. mails.Where(mail => mail.To == address)];

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
    }

    private async Task Accept()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                sessions.Add(Serve(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task Serve(TcpClient client)
    {
        using var _ = client;
        try
        {
            using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
            var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 test");
            var (from, to, answer) = ("", "", "");
            while (await reader.ReadLineAsync(stopping.Token) is { } line)
            {
                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO":
                        await writer.WriteAsync($"250-test\r\n{(isPipelining ? "250-PIPELINING\r\n" : "")}250 SIZE 10000000\r\n");
                        break;
                    case "MAIL":
                        from = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..^1];
                        await writer.WriteLineAsync("250 ok");
                        break;
                    case "RCPT":
                        to = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..^1];
                        answer = Answer(to);
                        await writer.WriteLineAsync(answer);
                        break;
                    case "DATA" when answer.StartsWith("550", StringComparison.Ordinal):
                        await writer.WriteLineAsync("554 5.5.1 no valid recipients");
                        break;
                    case "DATA" when answer.StartsWith("451", StringComparison.Ordinal):
                        // A server may also say so at the end of the mail only.
                        await writer.WriteLineAsync("354 go on");
                        Assert.Equal("", await ReadMail(reader));
                        await writer.WriteLineAsync("554 5.5.1 no valid recipients");
                        break;
                    case "DATA":
                        await writer.WriteLineAsync("354 go on");
                        mails.Enqueue(new(from, to, await ReadMail(reader)));
                        await writer.WriteLineAsync("250 taken");
                        break;
                    case "QUIT":
                        await writer.WriteLineAsync("221 bye");
                        return;
                    default:
                        await writer.WriteLineAsync("250 ok");
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The client, or this server, went away.
        }
    }

    private string Answer(string to)
    {
        var attempt = attempts.AddOrUpdate(to, 1, (_, before) => before + 1);
        return to.StartsWith("refused", StringComparison.Ordinal) ? "550 5.1.1 no such user"
            : to.StartsWith("later", StringComparison.Ordinal) && attempt <= 2 ? "451 4.7.1 try again later"
            : "250 ok";
    }

    private async Task<string> ReadMail(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync(stopping.Token) is { } line)
        {
            if (line == ".")
            {
                return text.ToString();
            }

            text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }

        // Without its end a mail is not taken (RFC 5321, 4.1.1.4).
        throw new IOException("The client went away within a mail.");
    }
}
