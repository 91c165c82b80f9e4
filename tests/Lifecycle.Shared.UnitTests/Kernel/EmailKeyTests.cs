using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel;

namespace Lifecycle.Shared.UnitTests.Kernel;

public sealed class EmailKeyTests
{
    [Theory]
    [InlineData(" Ada.Lovelace@Example.COM ", "ada.lovelace@example.com")]
    [InlineData("o'neil+tag@sub.acme.example", "o'neil+tag@sub.acme.example")]
    [InlineData("ada@acme_intern.example", "ada@acme_intern.example")]
    [InlineData("Ada@BÜCHER.example", "ada@xn--bcher-kva.example")]
    [InlineData("ada@XN--bcher-kva.example", "ada@xn--bcher-kva.example")]
    [InlineData("grüße@acme.example", "grüße@acme.example")]
    [InlineData("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah")]
    public void Of_Address_IsInTheOneForm(string text, string expected) => Assert.Equal(expected, EmailKey.Of(text));

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
    [InlineData("ada@acme.example\r\nBcc: eve@acme.example")]
    public void Of_NoAddress_IsNull(string? text) => Assert.Null(EmailKey.Of(text));

    [Fact]
    public void Of_DomainThatIsNoName_StaysAsItIs()
    {
        var email = $"ada@{new string('ü', 64)}.example";

        Assert.Equal(email, EmailKey.Of(email.ToUpperInvariant()));
    }

    [Theory]
    [InlineData("ADA@", "ada@")]
    [InlineData("@Bücher.example", "@xn--bcher-kva.example")]
    [InlineData("Grüße", "grüße")]
    [InlineData(" ", "")]
    public void Part_WhatAReaderWrites_IsComparable(string text, string expected) => Assert.Equal(expected, EmailKey.Part(text));

    [Fact]
    public void Of_ItsOwnResult_StaysAsItIs() => Prop.ForAll<NonNull<string>, NonNull<string>>((name, domain) =>
    {
        var email = EmailKey.Of($"{name.Get}@{domain.Get}.example");
        return email is null || EmailKey.Of(email) == email;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_TooLong_IsNull()
    {
        Assert.NotNull(EmailKey.Of(new string('a', 64) + "@acme.example"));
        Assert.Null(EmailKey.Of(new string('a', 65) + "@acme.example"));
        Assert.Null(EmailKey.Of("ada@" + string.Join('.', Enumerable.Repeat("label", 50))));
    }
}
