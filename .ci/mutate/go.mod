module github.com/ddbseal/ddbseal/.ci/mutate

go 1.26.0
