namespace Lifecycle.Capture.Domain.Messages;

/// <summary>The one name for what senders call by many.</summary>
public static class Names
{
    /// <summary>
    /// Own name of a trait or form field that is known (<c>jobTitle</c>, <c>Job Title</c> → <c>title</c>); null for any other.
    /// </summary>
    public static string? Canonical(string name) => Normal(name) switch
    {
        "email" or "emailaddress" or "workemail" or "businessemail" or "companyemail" => "email",
        "phone" or "phonenumber" or "telephone" or "tel" or "mobile" or "mobilephone" or "callernumber" or "workphone" => "phone",
        "title" or "jobtitle" or "position" => "title",
        "department" => "department",
        "firstname" or "givenname" or "fname" => "firstName",
        "lastname" or "familyname" or "surname" or "lname" => "lastName",
        "name" or "fullname" => "name",
        "company" or "companyname" or "organization" or "organisation" or "employer" => "company.name",
        "employees" or "employeecount" or "numberofemployees" or "companysize" or "headcount" or "companyemployees" => "company.employees",
        "industry" or "companyindustry" => "company.industry",
        "annualrevenue" or "companyrevenue" => "company.annualRevenue",
        "companydomain" or "companywebsite" => "company.domain",
        "companycountry" => "company.country",
        _ => null,
    };

    /// <summary>Own name of a member of a company object; null for any other.</summary>
    public static string? CanonicalOfCompany(string name) => Normal(name) switch
    {
        "name" or "companyname" => "company.name",
        "employees" or "employeecount" or "numberofemployees" or "size" or "companysize" or "headcount" => "company.employees",
        "industry" => "company.industry",
        "annualrevenue" or "revenue" => "company.annualRevenue",
        "domain" or "website" or "url" => "company.domain",
        "country" => "company.country",
        _ => null,
    };

    /// <summary>Whether it is the name of the e-mail itself (<c>email</c>, <c>E-Mail</c>), not that of one of several.</summary>
    public static bool IsEmail(string name) => Normal(name) == "email";

    private static string Normal(string name) =>
        name.Length > 100 ? "" : string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
