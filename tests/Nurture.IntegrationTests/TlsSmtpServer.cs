using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>
/// A mail server that takes mails over TLS alone, from a user who is logged in, with a certificate that it made itself. It notes what was
/// said before TLS.
/// </summary>
internal sealed class TlsSmtpServer : IAsyncDisposable
{
    public const string User = "relay-user";
    public const string Password = "relay password";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly X509Certificate2 certificate;
    private readonly bool isImplicit;
    private readonly Task accepting;
    private int connections;

    public TlsSmtpServer(bool isImplicit = false)
    {
        this.isImplicit = isImplicit;
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        listener.Start();
        accepting = Accept();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public string Certificate => certificate.ExportCertificatePem();

    public int Connections => connections;

    /// <summary>Mails as they came.</summary>
    public ConcurrentQueue<ReceivedMail> Mails { get; } = [];

    /// <summary>Commands that were said in clear.</summary>
    public ConcurrentQueue<string> InClear { get; } = [];

    public async Task<ReceivedMail> MailTo(string address)
    {
        await Eventually.True(() => Task.FromResult(Mails.Any(mail => mail.To == address)), $"a mail to {address}");
        return Mails.Single(mail => mail.To == address);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
        certificate.Dispose();
    }

    private async Task Accept()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(stopping.Token);
                Interlocked.Increment(ref connections);
                sessions.Add(Serve(client));
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
            Stream stream = client.GetStream();
            var (isSecure, isIn, from, to) = (isImplicit, false, "", "");
            stream = isImplicit ? await Secure(stream) : stream;
            await Say(stream, "220 test");
            while (await Line(stream) is { } line)
            {
                if (!isSecure)
                {
                    InClear.Enqueue(line);
                }

                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO":
                        await Say(stream, isSecure ? "250-test\r\n250 AUTH LOGIN PLAIN" : "250-test\r\n250 STARTTLS");
                        break;
                    case "STARTTLS":
                        await Say(stream, "220 go on");
                        (stream, isSecure) = (await Secure(stream), true);
                        break;
                    case "AUTH":
                        isIn = isSecure && Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[2])) == $"\0{User}\0{Password}";
                        await Say(stream, isIn ? "235 in" : "535 5.7.8 wrong");
                        break;
                    case "MAIL":
                        from = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..^1];
                        await Say(stream, isIn ? "250 ok" : "530 5.7.0 log in first");
                        break;
                    case "RCPT":
                        to = line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..^1];
                        await Say(stream, "250 ok");
                        break;
                    case "DATA":
                        await Say(stream, "354 go on");
                        Mails.Enqueue(new(from, to, await ReadMail(stream)));
                        await Say(stream, "250 taken");
                        break;
                    default:
                        await Say(stream, "250 ok");
                        break;
                }
            }
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client went away, or did not trust the certificate.
        }
    }

    private async Task<Stream> Secure(Stream stream)
    {
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stopping.Token);
        return tls;
    }

    private async Task Say(Stream stream, string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text + "\r\n"), stopping.Token);

    /// <summary>Byte by byte: nothing that belongs to the TLS handshake may be read ahead.</summary>
    private async Task<string?> Line(Stream stream)
    {
        var (bytes, one) = (new List<byte>(), new byte[1]);
        while (await stream.ReadAsync(one, stopping.Token) == 1)
        {
            if (one[0] == '\n')
            {
                return Encoding.UTF8.GetString([.. bytes]).TrimEnd('\r');
            }

            bytes.Add(one[0]);
        }

        return null;
    }

    private async Task<string> ReadMail(Stream stream)
    {
        var text = new StringBuilder();
        while (await Line(stream) is { } line && line != ".")
        {
            text.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        }

        return text.ToString();
    }
}
