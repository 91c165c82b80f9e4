using Google.Protobuf.Reflection;

namespace Lifecycle.Gateway.OpenApi;

/// <summary>
/// The comments of the protos, by full name of what they stand above. They come from the descriptor image built beside the code.
/// </summary>
internal sealed class ProtoComments
{
    private const string Image = "lifecycle.binpb";

    // Field numbers in descriptor.proto, of which the paths of source locations are made.
    private const int Messages = 4;
    private const int Enums = 5;
    private const int Services = 6;
    private const int NestedMessages = 3;
    private const int NestedEnums = 4;
    private const int Members = 2;

    private readonly Dictionary<string, string> comments = new(StringComparer.Ordinal);

    private ProtoComments(FileDescriptorSet files)
    {
        foreach (var file in files.File)
        {
            foreach (var location in file.SourceCodeInfo?.Location ?? [])
            {
                if (location.LeadingComments.Length > 0 && NameOf(file, [.. location.Path]) is { } name)
                {
                    comments[name] = string.Join('\n', location.LeadingComments.Split('\n').Select(line => line.Trim())).Trim();
                }
            }
        }
    }

    public static ProtoComments Load()
    {
        using var image = typeof(Lifecycle.Gateway.V1.Workspace).Assembly.GetManifestResourceStream(Image)
            ?? throw new InvalidOperationException($"Lifecycle.Protos was built without {Image}.");
        return new(FileDescriptorSet.Parser.ParseFrom(image));
    }

    /// <summary>The comment, or empty.</summary>
    public string Of(IDescriptor descriptor) => comments.GetValueOrDefault(descriptor.FullName, "");

    private static string? NameOf(FileDescriptorProto file, int[] path) => path switch
    {
        [Services, var service] => $"{file.Package}.{file.Service[service].Name}",
        [Services, var service, Members, var method] =>
            $"{file.Package}.{file.Service[service].Name}.{file.Service[service].Method[method].Name}",
        [Enums, var index, .. var rest] => EnumName(file.EnumType[index], file.Package, rest),
        [Messages, var index, .. var rest] => MessageName(file.MessageType[index], file.Package, rest),
        _ => null,
    };

    private static string? MessageName(DescriptorProto message, string scope, int[] rest)
    {
        var name = $"{scope}.{message.Name}";
        return rest switch
        {
            [] => name,
            [Members, var field] => $"{name}.{message.Field[field].Name}",
            [NestedMessages, var nested, .. var deeper] => MessageName(message.NestedType[nested], name, deeper),
            [NestedEnums, var nested, .. var deeper] => EnumName(message.EnumType[nested], name, deeper),
            _ => null,
        };
    }

    /// <summary>Values are siblings of their type in proto's name space, as in C++.</summary>
    private static string? EnumName(EnumDescriptorProto type, string scope, int[] rest) => rest switch
    {
        [] => $"{scope}.{type.Name}",
        [Members, var value] => $"{scope}.{type.Name}.{type.Value[value].Name}",
        _ => null,
    };
}
