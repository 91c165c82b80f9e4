using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Nurture.Domain.Emails;

namespace Nurture.UnitTests;

/// <summary>Reports in the shapes that widely used mail servers send them; all of them written here.</summary>
public sealed class MailReportTests
{
    private const string OurId = "01900000-0000-7000-8000-000000000001@lifecycle.example";

    /// <summary>Postfix: text, status with CRLF, the whole mail.</summary>
    [Fact]
    public void Read_Postfix_UnknownUser() => AssertOne(
        Report("message/delivery-status", """
            Reporting-MTA: dns; mx.example.net
            X-Postfix-Queue-ID: 4ABC
            Arrival-Date: Sun,  1 Mar 2026 09:05:07 +0000 (UTC)

            Final-Recipient: rfc822; ada@example.org
            Original-Recipient: rfc822;ada@example.org
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mail.example.org
            Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: Recipient address
                rejected: User unknown in local recipient table
            """, "message/rfc822"),
        FeedbackKind.HardBounce,
        "ada@example.org",
        "5.1.1",
        "smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in local recipient table");

    /// <summary>Exchange: no Original-Recipient, no space after the type, its own words.</summary>
    [Fact]
    public void Read_Exchange_RecipientNotFound() => AssertOne(
        Report("message/delivery-status", """
            Reporting-MTA: dns;AB1PR01MB0001.example.prod
            Received-From-MTA: dns;mail.example.net
            Arrival-Date: Sun, 1 Mar 2026 09:05:07 +0000

            Final-Recipient: rfc822;Ada@Example.org
            Action: failed
            Status: 5.1.10
            Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
            """, "message/rfc822"),
        FeedbackKind.HardBounce,
        "ada@example.org",
        "5.1.10",
        "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup");

    /// <summary>Gmail: a full mailbox is class 5 and the moment's all the same.</summary>
    [Fact]
    public void Read_Gmail_MailboxFull() => AssertOne(
        Report("message/delivery-status", """
            Reporting-MTA: dns; googlemail.com
            Arrival-Date: Sun, 01 Mar 2026 01:05:07 -0800 (PST)
            X-Original-Message-ID: <other@example.com>

            Final-Recipient: rfc822; ada@example.org
            Action: failed
            Status: 5.2.2
            Diagnostic-Code: smtp; 552-5.2.2 The recipient's inbox is out of storage space.
             552 5.2.2 Please direct the recipient to free some.
            Last-Attempt-Date: Sun, 01 Mar 2026 01:05:08 -0800 (PST)
            """, "message/rfc822"),
        FeedbackKind.SoftBounce,
        "ada@example.org",
        "5.2.2",
        "smtp; 552-5.2.2 The recipient's inbox is out of storage space. 552 5.2.2 Please direct the recipient to free some.");

    /// <summary>Sendmail: header alone, a vague status that the server's words make precise.</summary>
    [Fact]
    public void Read_Sendmail_HeadersOnly() => AssertOne(
        Report("message/delivery-status", """
            Reporting-MTA: dns; relay.example.net
            Received-From-MTA: DNS; client.example.net

            Original-Recipient: rfc822;<ada@example.org>
            Final-Recipient: RFC822; ada@mailhost.example.org
            Action: failed
            Status: 5.0.0
            Diagnostic-Code: SMTP; 550 5.2.1 Mailbox disabled
            """, "text/rfc822-headers"),
        FeedbackKind.HardBounce,
        "ada@example.org",
        "5.2.1",
        "SMTP; 550 5.2.1 Mailbox disabled");

    /// <summary>A list of recipients of whom two failed; base64, as some gateways encode every part.</summary>
    [Fact]
    public void Read_SeveralRecipients_ThoseThatFailed()
    {
        const string Status = "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 4.4.7\n\n"
            + "Final-Recipient: rfc822; b@example.org\nAction: delivered\nStatus: 2.0.0\n\n"
            + "Final-Recipient: rfc822; c@example.org\nAction: failed (policy)\nStatus: 5.7.1\n";
        var report = MailReport.Read(Report(
            "message/delivery-status\nContent-Transfer-Encoding: base64",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Status)), "message/rfc822"));

        Assert.Equal(
            [(FeedbackKind.SoftBounce, "a@example.org", "4.4.7"), (FeedbackKind.SoftBounce, "c@example.org", "5.7.1")],
            report!.Recipients.Select(one => (one.Kind, one.Address!, one.Status)));
    }

    [Fact]
    public void Read_Qmail_PlainText() => AssertOne(
        $"""
        From: MAILER-DAEMON@mx.example.net
        Subject: failure notice

        Hi. This is the qmail-send program at mx.example.net.
        I'm afraid I wasn't able to deliver your message to the following addresses.

        <ada@example.org>:
        203.0.113.9 does not like recipient.
        Remote host said: 550 5.1.1 no such user
        Giving up on 203.0.113.9.

        --- Below this line is a copy of the message.

        Return-Path: <bounces@example.com>
        Message-ID: <{OurId}>
        Subject: Hi

        Hi
        """,
        FeedbackKind.HardBounce,
        "ada@example.org",
        "5.1.1",
        "203.0.113.9 does not like recipient. Remote host said: 550 5.1.1 no such user Giving up on 203.0.113.9.");

    /// <summary>An abuse report of a provider that hides the address; only the mail's own Message-ID tells who it was.</summary>
    [Fact]
    public void Read_AbuseReport_IsAComplaint()
    {
        var report = MailReport.Read(Report("message/feedback-report", """
            Feedback-Type: abuse
            User-Agent: ExampleMail-FBL/1.0
            Version: 1
            Original-Mail-From: <bounces@example.com>
            Source-IP: 192.0.2.1
            """, "message/rfc822", "feedback-report"));

        Assert.Equal(OurId, report!.MessageId);
        Assert.Equal([new ReportedRecipient(FeedbackKind.Complaint, null, "", "abuse")], report.Recipients);
    }

    [Theory]
    [InlineData("message/feedback-report", "Feedback-Type: not-spam\nVersion: 1")]
    [InlineData(
        "message/delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.org\nAction: delayed\nStatus: 4.4.1")]
    [InlineData(
        "message/delivery-status", "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.org\nAction: relayed\nStatus: 2.0.0")]
    [InlineData("message/disposition-notification", "Final-Recipient: rfc822; a@example.org\nDisposition: manual-action; displayed")]
    public void Read_ReportOfNoFailure_IsNone(string type, string status) =>
        Assert.Null(MailReport.Read(Report(type, status, "message/rfc822")));

    [Theory]
    [InlineData("In-Reply-To: <id@lifecycle.example>", true)]
    [InlineData("In-Reply-To: <id@lifecycle.example>\nAuto-Submitted: no", true)]
    [InlineData("In-Reply-To: <id@lifecycle.example>\nAuto-Submitted: auto-replied", false)]
    [InlineData("In-Reply-To: <id@lifecycle.example>\nPrecedence: bulk", false)]
    [InlineData("Subject: Hello", false)]
    public void Read_Answer_CountsWhereAPersonWroteIt(string header, bool counts)
    {
        var report = MailReport.Read($"From: ada@example.org\n{header}\n\nThank you!");

        Assert.Equal(counts ? FeedbackKind.Reply : null, report?.Recipients.Single().Kind);
        Assert.Equal(counts ? "id@lifecycle.example" : null, report?.MessageId);
    }

    [Theory]
    [InlineData("5.1.1", FeedbackKind.HardBounce)]
    [InlineData("5.0.0", FeedbackKind.HardBounce)]
    [InlineData("5.4.4", FeedbackKind.HardBounce)]
    [InlineData("5.1.8", FeedbackKind.SoftBounce)]
    [InlineData("5.2.2", FeedbackKind.SoftBounce)]
    [InlineData("5.3.4", FeedbackKind.SoftBounce)]
    [InlineData("5.4.7", FeedbackKind.SoftBounce)]
    [InlineData("5.7.1", FeedbackKind.SoftBounce)]
    [InlineData("4.1.1", FeedbackKind.SoftBounce)]
    [InlineData("", FeedbackKind.SoftBounce)]
    public void KindOf_Status(string status, FeedbackKind expected) => Assert.Equal(expected, MailReport.KindOf(status));

    [Fact]
    public void Read_AnyText_NeverThrows() => Prop.ForAll<NonNull<string>, NonNull<string>>((one, other) =>
    {
        _ = MailReport.Read(one.Get);
        _ = MailReport.Read(Report("message/delivery-status", one.Get, other.Get));
        _ = MailReport.Read($"Content-Type: multipart/report; boundary={other.Get}\n\n--{other.Get}\n{one.Get}");
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static void AssertOne(string mail, FeedbackKind kind, string address, string status, string detail)
    {
        foreach (var lines in new[] { mail.ReplaceLineEndings("\n"), mail.ReplaceLineEndings("\r\n") })
        {
            var report = MailReport.Read(lines);

            Assert.Equal(OurId, report?.MessageId);
            Assert.Equal([new ReportedRecipient(kind, address, status, detail)], report!.Recipients);
        }
    }

    private static string Report(string type, string status, string returned, string reportType = "delivery-status") =>
        $"""
        From: MAILER-DAEMON@mx.example.net
        To: bounces@example.com
        Subject: Undelivered Mail Returned to Sender
        Content-Type: multipart/report; report-type={reportType};
         boundary="=_a b/1"
        MIME-Version: 1.0

        This is a MIME-encapsulated message.

        --=_a b/1
        Content-Type: text/plain; charset=us-ascii

        I'm sorry to have to inform you that your message could not be delivered.

        --=_a b/1
        Content-Type: {type}

        {status}

        --=_a b/1
        Content-Type: {returned}

        Return-Path: <bounces@example.com>
        Message-ID:
         <{OurId}>
        Subject: Hi

        --=_a b/1--
        """;
}
