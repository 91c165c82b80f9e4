using System.Net;
using System.Security.Cryptography;
using System.Text;
using Lifecycle.Kernel;
using Lifecycle.Webhooks;
using Microsoft.Extensions.Options;

namespace Lifecycle.Shared.UnitTests.Webhooks;

public sealed class WebhookTests
{
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1614265330);
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"test": 2432232314}""");
    private static readonly WebhookSecret Secret = WebhookSecret.Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").Value;

    /// <summary>The worked example of the Standard Webhooks libraries.</summary>
    [Fact]
    public void Sign_PublishedExample_GivesItsSignature()
    {
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", Secret.Sign(Id, Time, Body));
        Assert.Equal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Secret.Text);
    }

    [Fact]
    public void Verify_OneOfSeveralSignaturesAndSecrets_Passes()
    {
        var signatures = $"v1a,xyz v1,Zm9v {Secret.Sign(Id, Time, Body)}";

        Assert.True(WebhookSignature.Verify([WebhookSecret.New(), Secret], Id, "1614265330", signatures, Body, Time.AddMinutes(5))
            .Succeeded);
    }

    [Theory]
    [InlineData(Id, "1614265330", 301)]
    [InlineData(Id, "1614265330", -301)]
    [InlineData("msg_other", "1614265330", 0)]
    [InlineData(Id, "1614265331", 0)]
    [InlineData(Id, "soon", 0)]
    [InlineData(Id, "99999999999999999", 0)]
    [InlineData("", "1614265330", 0)]
    public void Verify_OldForgedOrIncomplete_IsRefused(string id, string timestamp, int secondsLater) => Assert.Equal(
        ErrorKind.Unauthenticated,
        WebhookSignature.Verify([Secret], id, timestamp, Secret.Sign(Id, Time, Body), Body, Time.AddSeconds(secondsLater)).Error?.Kind);

    [Fact]
    public void Verify_OtherSecretOrBody_IsRefused()
    {
        Assert.False(WebhookSignature.Verify([WebhookSecret.New()], Id, "1614265330", Secret.Sign(Id, Time, Body), Body, Time).Succeeded);
        Assert.False(WebhookSignature.Verify([Secret], Id, "1614265330", Secret.Sign(Id, Time, Body), "{}"u8, Time).Succeeded);
    }

    [Theory]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("whsec_!")]
    [InlineData("")]
    public void Parse_NoKey_IsRefused(string text) => Assert.False(WebhookSecret.Parse(text).Succeeded);

    [Fact]
    public void After_EachFailure_FollowsTheSchedule()
    {
        Assert.Equal(
            ["00:00:05", "00:05:00", "00:30:00", "02:00:00", "05:00:00", "10:00:00", "14:00:00", "20:00:00", "1.00:00:00"],
            Enumerable.Range(1, 9).Select(attempts => WebhookSchedule.After(attempts)!.Value.ToString()));
        Assert.Null(WebhookSchedule.After(10));
        Assert.Equal(TimeSpan.FromMinutes(1), WebhookSchedule.After(1, TimeSpan.FromMinutes(1)));
        Assert.Equal(TimeSpan.FromDays(1), WebhookSchedule.After(1, TimeSpan.FromDays(30)));
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.20.30.40", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fe80::1", false)]
    public void IsPublic_Address_IsJudgedByTheRegistries(string address, bool isPublic) =>
        Assert.Equal(isPublic, Addresses.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("http://127.0.0.1:9/")]
    [InlineData("http://localhost:9/")]
    [InlineData("http://[::1]:9/")]
    [InlineData("http://0x7f000001:9/")]
    public async Task Send_PrivateAddress_IsRefusedAtTheConnection(string url)
    {
        using var client = GuardedHttp.Create([], TimeSpan.FromSeconds(60));

        var outcome = await new WebhookSender(client, TimeProvider.System).Send(new(new(url), [Secret]), Id, "{}", CancellationToken.None);

        Assert.Equal(0, outcome.Status);
        Assert.Contains("private address", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Box_Text_OpensForItsOwnerOnly()
    {
        var box = new SecretBox(Options.Create(new SecretBoxOptions { IdentitySecret = Convert.ToBase64String(new byte[32]) }));
        var closed = box.Close("Bearer ä", "a");

        Assert.NotEqual(closed, box.Close("Bearer ä", "a"));
        Assert.Equal("Bearer ä", box.Open(closed, "a"));
        Assert.Throws<AuthenticationTagMismatchException>(() => box.Open(closed, "b"));
        var other = new SecretBox(Options.Create(new SecretBoxOptions { SecretKey = Convert.ToBase64String(new byte[32]) }));
        Assert.Throws<AuthenticationTagMismatchException>(() => other.Open(closed, "a"));
    }
}
