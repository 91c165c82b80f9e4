using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Nurture.Domain.Emails;

namespace Nurture.UnitTests;

public sealed class DkimTests
{
    private static readonly DateTimeOffset Time = new(2026, 3, 1, 9, 5, 7, TimeSpan.Zero);
    private static readonly byte[] Key = DkimSigner.NewKey();

    /// <summary>The example of RFC 6376, 3.4.5.</summary>
    [Fact]
    public void Relaxed_ExampleOfTheRfc()
    {
        Assert.Equal("a:X", DkimSigner.RelaxField("A: X"));
        Assert.Equal("b:Y Z", DkimSigner.RelaxField("B : Y\t\r\n\tZ  "));
        Assert.Equal(" C\r\nD E\r\n", DkimSigner.RelaxBody(" C \r\nD \t E\r\n\r\n\r\n"));
        Assert.Equal("", DkimSigner.RelaxBody(""));
    }

    [Fact]
    public void Sign_AnyMail_VerifiesWithThePublishedKey() => Prop.ForAll<NonNull<string>, NonNull<string>>((subject, body) =>
    {
        var mail = Mail(subject.Get, body.Get).ToMime(Time);

        Assert.Null(DkimCheck.Fault(mail, DkimSigner.DnsRecord(Key)));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Sign_MailChangedOnItsWay_DoesNotVerify()
    {
        var (mail, record) = (Mail("Hello", "<p>Pay 10</p>").ToMime(Time), DkimSigner.DnsRecord(Key));

        Assert.Null(DkimCheck.Fault(mail, record));
        Assert.Equal("body", DkimCheck.Fault(mail.Replace("Pay 10", "Pay 99", StringComparison.Ordinal), record));
        Assert.Equal("signature", DkimCheck.Fault(mail.Replace("Subject: Hello", "Subject: Hullo", StringComparison.Ordinal), record));
        Assert.Equal(
            "signature", DkimCheck.Fault(mail.Replace("\r\nTo:", "\r\nFrom: <eve@example.com>\r\nTo:", StringComparison.Ordinal), record));
        Assert.Equal("signature", DkimCheck.Fault(mail, DkimSigner.DnsRecord(DkimSigner.NewKey())));
        Assert.Null(DkimCheck.Fault(mail.Replace("Subject: Hello", "Subject:   Hello ", StringComparison.Ordinal), record));
    }

    [Fact]
    public void Sign_Mail_SignsWhatOneClickUnsubscribingNeeds() => Assert.Contains(
        "List-Unsubscribe:List-Unsubscribe-Post",
        Mail("Hello", "x").ToMime(Time).Replace("\r\n\t ", "", StringComparison.Ordinal),
        StringComparison.Ordinal);

    private static MailContent Mail(string subject, string html) =>
        new("1@lifecycle.example", "hello@example.com", "Team", "ada@example.com", null, subject, html, html, "https://x.example/e/u/t")
        {
            Signer = new DkimSigner("example.com", "lc1", Key),
        };
}
