using Lifecycle.Scoring.Domain;
using static Scoring.UnitTests.Domain.Samples;

namespace Scoring.UnitTests.Domain;

public sealed class CompanyKeysTests
{
    [Theory]
    [InlineData("acme.example", "acme.example")]
    [InlineData(" WWW.Acme.example/about?x=1 ", "acme.example")]
    [InlineData("https://www.acme.example:8443/en/", "acme.example")]
    [InlineData("acme.example/", "acme.example")]
    [InlineData("https://www.Bücher.example/über", "xn--bcher-kva.example")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("/", "acme gmbh")]
    [InlineData("", "acme gmbh")]
    public void Of_Domain_IsItsHost(string domain, string key)
    {
        var lead = Lead(Start) with { Company = new(" Acme  GmbH", domain, null, null, null, null) };

        Assert.Equal(key, CompanyKeys.Of(lead));
    }

    [Theory]
    [InlineData(" Bücher.example ", "xn--bcher-kva.example")]
    [InlineData("Bücher GmbH", "bücher gmbh")]
    [InlineData("", null)]
    public void Normalized_WhatAReaderWrites_IsAKey(string text, string? key) => Assert.Equal(key, CompanyKeys.Normalized(text));
}
