using Lifecycle.Capture.Domain.Identities;

namespace Capture.UnitTests.Identities;

public sealed class ContactPointsTests
{
    [Theory]
    [InlineData(" Ada@Acme.Example ", "ada@acme.example")]
    [InlineData("o'neil+tag@sub.acme.example", "o'neil+tag@sub.acme.example")]
    public void TryEmail_Address_IsNormalised(string text, string expected)
    {
        Assert.True(ContactPoints.TryEmail(text, out var email));
        Assert.Equal(expected, email);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ada")]
    [InlineData("@acme.example")]
    [InlineData("ada@acme")]
    [InlineData("ada@acme..example")]
    [InlineData("a@b@acme.example")]
    [InlineData("ada lovelace@acme.example")]
    [InlineData("Ada <ada@acme.example>")]
    public void TryEmail_NoAddress_IsRefused(string? text) => Assert.False(ContactPoints.TryEmail(text, out _));

    [Theory]
    [InlineData("+49 (30) 123-456", "+4930123456")]
    [InlineData("0049 30 123456", "+4930123456")]
    [InlineData("+49 (0)30 123456", "+4930123456")]
    [InlineData("0044 (0) 20 7946 0958", "+442079460958")]
    [InlineData("+39 (0)6 1234567", "+39061234567")]
    [InlineData("(0)30/123456", "030123456")]
    [InlineData("030/123456", "030123456")]
    public void TryPhone_Number_KeepsItsDigits(string text, string expected)
    {
        Assert.True(ContactPoints.TryPhone(text, out var phone));
        Assert.Equal(expected, phone);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("123")]
    [InlineData("anonymous")]
    [InlineData("1234567890123456")]
    public void TryPhone_NoNumber_IsRefused(string? text) => Assert.False(ContactPoints.TryPhone(text, out _));
}
