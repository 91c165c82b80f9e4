using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Lifecycle.Kernel;

namespace Lifecycle.Rpc.Rest;

/// <summary>Path and query parameters as the JSON they stand for; types are judged afterwards, with the body's rules.</summary>
internal static class QueryBinder
{
    /// <summary>Sets the field that a dotted name (JSON or proto names) points to.</summary>
    public static void Set(JsonObject root, MessageDescriptor message, string name, IReadOnlyList<string?> values, Violations violations)
    {
        var (node, descriptor, path) = (root, message, name.Split('.'));
        for (var depth = 0; depth < path.Length; depth++)
        {
            if (JsonFaults.FindField(descriptor, path[depth]) is not { } field)
            {
                violations.Add(name, $"{name} is no parameter of this method; known: {JsonFaults.Names(descriptor)}.");
                return;
            }

            if (field.IsMap && depth < path.Length - 1)
            {
                SetEntry(node, field, name, string.Join('.', path[(depth + 1)..]), values, violations);
                return;
            }

            if (depth == path.Length - 1)
            {
                SetLeaf(node, field, name, values, violations);
                return;
            }

            if (field.FieldType != FieldType.Message || field.IsRepeated || JsonFaults.IsScalarLike(field.MessageType))
            {
                violations.Add(name, $"{field.JsonName} has no fields.");
                return;
            }

            if (node[field.JsonName] is not JsonObject child)
            {
                node[field.JsonName] = child = [];
            }

            (node, descriptor) = (child, field.MessageType);
        }
    }

    /// <summary>One entry of a map, as in <c>group.channel=Email</c>; an empty value is a value.</summary>
    private static void SetEntry(
        JsonObject node, FieldDescriptor field, string name, string key, IReadOnlyList<string?> values, Violations violations)
    {
        if (values.Count > 1)
        {
            violations.Add(name, $"{name} is given {values.Count} times; it takes one value.");
            return;
        }

        if (node[field.JsonName] is not JsonObject map)
        {
            node[field.JsonName] = map = [];
        }

        map[key] = values[0] ?? "";
    }

    private static void SetLeaf(JsonObject node, FieldDescriptor field, string name, IReadOnlyList<string?> values, Violations violations)
    {
        if (field.FieldType == FieldType.Message && !JsonFaults.IsScalarLike(field.MessageType))
        {
            violations.Add(
                name,
                $"{name} cannot be given in the query as a whole; give its fields, as in {name}.{field.MessageType.Fields.InFieldNumberOrder().FirstOrDefault()?.JsonName}.");
        }
        else if (field.IsRepeated)
        {
            var parts = values.SelectMany(
                value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            node[field.JsonName] = new JsonArray(parts.Select(part => (JsonNode)Value(field, part)).ToArray());
        }
        else if (values.Count > 1)
        {
            violations.Add(name, $"{name} is given {values.Count} times; it takes one value.");
        }
        else if (values[0] is { Length: > 0 } value)
        {
            node[field.JsonName] = Value(field, value);
        }
    }

    private static JsonValue Value(FieldDescriptor field, string value)
    {
        var isBool = field.FieldType == FieldType.Bool
            || (field.FieldType == FieldType.Message && field.MessageType.FullName == "google.protobuf.BoolValue");
        return isBool && value is ("true" or "false") ? JsonValue.Create(value == "true") : JsonValue.Create(value);
    }
}
