using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Webhooks;

namespace Lifecycle.Nurture.Mail;

/// <summary>
/// One conversation with a mail server (RFC 5321). Written here because the framework's client neither keeps a given Message-ID line intact
/// nor tells a refused recipient from a refused mail.
/// </summary>
internal sealed class SmtpConnection : IAsyncDisposable
{
    private const int MaxReplyLine = 4096;
    private readonly TcpClient client;
    private Stream stream;
    private StreamReader reader;
    private bool isPipelining;

    private SmtpConnection(TcpClient client, Stream stream)
    {
        (this.client, this.stream) = (client, stream);
        reader = Reader(stream);
    }

    /// <summary>False once a reply was lost: the conversation is of no more use.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <summary>
    /// Connects, greets, takes TLS as the address says, and logs in where the address names a user.
    /// </summary>
    /// <param name="address">The server.</param>
    /// <param name="localName">Name to greet with.</param>
    /// <param name="allowed">Private networks that a server named by a user may be in.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="IOException">The server refuses.</exception>
    /// <exception cref="PrivateAddressException">A user's server is in a private network that is not allowed.</exception>
    public static async Task<SmtpConnection> Open(
        SmtpAddress address, string localName, IReadOnlyList<IPNetwork> allowed, CancellationToken ct)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            await Connect(client, address, allowed, ct);
            var connection = new SmtpConnection(client, client.GetStream());
            if (address.Tls == TlsMode.Implicit)
            {
                await connection.StartTls(address, ct);
            }

            await connection.Greet(address, localName, ct);
            return connection;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async Task<SendResult> Send(MailContent mail, DateTimeOffset date, CancellationToken ct)
    {
        IsUsable = false;
        var envelope = new[] { $"MAIL FROM:<{mail.BounceAddress ?? mail.FromAddress}>", $"RCPT TO:<{mail.ToAddress}>", "DATA" };
        var replies = await (isPipelining ? CommandsAtOnce(envelope, ct) : CommandsInTurn(envelope, ct));
        if (replies.FindIndex(reply => !reply.IsPositive) is >= 0 and var refused)
        {
            if (refused < envelope.Length - 1 && replies.Count == envelope.Length && replies[^1].IsPositive)
            {
                // It waits for a mail that it has no sender or recipient for: an empty one, which it refuses (RFC 2920, 3.1).
                await Command(".", ct);
            }

            return await Reset(replies[refused], refused == 1 ? SendOutcome.RecipientRefused : SendOutcome.Refused, ct);
        }

        var done = await Command(StuffDots(mail.ToMime(date)) + ".", ct);
        IsUsable = true;
        return done.IsPositive ? new(SendOutcome.Accepted, Words(done)) : Refusal(done, SendOutcome.Refused);
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        client.Dispose();
    }

    /// <summary>A line that begins with a dot gets a second one (RFC 5321, 4.5.2).</summary>
    private static string StuffDots(string mime) =>
        (mime.StartsWith('.') ? "." + mime : mime).Replace("\r\n.", "\r\n..", StringComparison.Ordinal);

    private static SendResult Refusal(SmtpReply reply, SendOutcome permanent) =>
        new(reply.IsPermanent ? permanent : SendOutcome.Deferred, Words(reply));

    private static string Words(SmtpReply reply)
    {
        var words = $"{reply.Code} {reply.Text}";
        return words.Length <= 500 ? words : words[..500];
    }

    private static StreamReader Reader(Stream stream) => new(stream, Encoding.UTF8, false, 1024, leaveOpen: true);

    /// <summary>
    /// The address is looked up and judged in the same breath, so that a name cannot point elsewhere between check and use.
    /// </summary>
    private static async Task Connect(TcpClient client, SmtpAddress address, IReadOnlyList<IPNetwork> allowed, CancellationToken ct)
    {
        if (!address.IsForeign)
        {
            await client.ConnectAsync(address.Host, address.Port, ct);
            return;
        }

        var found = await Dns.GetHostAddressesAsync(address.Host, ct);
        var open = found.Where(one => Addresses.IsPublic(one) || allowed.Any(network => network.Contains(Addresses.Plain(one)))).ToArray();
        if (open.Length == 0)
        {
            throw new PrivateAddressException($"{address.Host} leads to a private address, which is not allowed.");
        }

        await client.ConnectAsync(open, address.Port, ct);
    }

    private async Task Greet(SmtpAddress address, string localName, CancellationToken ct)
    {
        Require(await ReadReply(ct), "greeting");
        var hello = Require(await Command($"EHLO {localName}", ct), "EHLO");
        var offersTls = Offers(hello, "STARTTLS");
        if (address.Tls == TlsMode.Starttls && !offersTls)
        {
            throw new IOException("The mail server does not offer STARTTLS.");
        }

        if (offersTls && address.Tls is TlsMode.Starttls or TlsMode.Opportunistic)
        {
            Require(await Command("STARTTLS", ct), "STARTTLS");
            await StartTls(address, ct);
            hello = Require(await Command($"EHLO {localName}", ct), "EHLO");
        }

        isPipelining = Offers(hello, "PIPELINING");
        if (address.UserName is { } user)
        {
            await LogIn(hello, user, address.Password ?? "", ct);
        }
    }

    /// <summary>AUTH PLAIN (RFC 4616), or LOGIN where the server knows no better.</summary>
    private async Task LogIn(SmtpReply hello, string user, string password, CancellationToken ct)
    {
        var ways = hello.Text.Split('\n').Where(line => line.StartsWith("AUTH ", StringComparison.OrdinalIgnoreCase))
            .SelectMany(line => line.Split(' ')).ToArray();
        if (ways.Contains("LOGIN", StringComparer.OrdinalIgnoreCase) && !ways.Contains("PLAIN", StringComparer.OrdinalIgnoreCase))
        {
            Require(await Command("AUTH LOGIN", ct), "AUTH");
            Require(await Command(Convert.ToBase64String(Encoding.UTF8.GetBytes(user)), ct), "AUTH");
            Require(await Command(Convert.ToBase64String(Encoding.UTF8.GetBytes(password)), ct), "AUTH");
            return;
        }

        var credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));
        Require(await Command($"AUTH PLAIN {credentials}", ct), "AUTH");
    }

    private async Task StartTls(SmtpAddress address, CancellationToken ct)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = address.Host };
        if (address.TrustedCertificate is { } pem)
        {
            var policy =
                new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPem(pem);
            options.CertificateChainPolicy = policy;
        }

        // A server that speaks before TLS must not be heard after it (CVE-2011-0411): what the reader holds is left behind with it.
        var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(options, ct);
        stream = tls;
        reader = Reader(stream);
    }

    private async Task<SendResult> Reset(SmtpReply refusal, SendOutcome permanent, CancellationToken ct)
    {
        var reset = await Command("RSET", ct);
        IsUsable = reset.IsPositive;
        return Refusal(refusal, permanent);
    }

    private static bool Offers(SmtpReply hello, string extension) =>
        hello.Text.Split('\n').Any(line => line.Equals(extension, StringComparison.OrdinalIgnoreCase));

    private static SmtpReply Require(SmtpReply reply, string step) =>
        reply.IsPositive ? reply : throw new IOException($"The mail server answered {step} with {Words(reply)}.");

    /// <summary>In one round trip, for servers that offer it (RFC 2920).</summary>
    private async Task<List<SmtpReply>> CommandsAtOnce(string[] commands, CancellationToken ct)
    {
        var replies = new List<SmtpReply>(commands.Length) { await Command(string.Join("\r\n", commands), ct) };
        while (replies.Count < commands.Length)
        {
            replies.Add(await ReadReply(ct));
        }

        return replies;
    }

    /// <summary>Up to the first that is refused.</summary>
    private async Task<List<SmtpReply>> CommandsInTurn(string[] commands, CancellationToken ct)
    {
        var replies = new List<SmtpReply>(commands.Length);
        for (var index = 0; index < commands.Length && replies.TrueForAll(reply => reply.IsPositive); index++)
        {
            replies.Add(await Command(commands[index], ct));
        }

        return replies;
    }

    private async Task<SmtpReply> Command(string text, CancellationToken ct)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text + "\r\n"), ct);
        await stream.FlushAsync(ct);
        return await ReadReply(ct);
    }

    private async Task<SmtpReply> ReadReply(CancellationToken ct)
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await reader.ReadLineAsync(ct) ?? throw new IOException("The mail server closed the connection.");
            if (line.Length is < 3 or > MaxReplyLine
                || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            {
                throw new IOException("The mail server's reply is not SMTP.");
            }

            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length == 3 || line[3] != '-')
            {
                return new(code, string.Join('\n', lines));
            }

            if (lines.Count > 100)
            {
                throw new IOException("The mail server's reply has no end.");
            }
        }
    }
}
